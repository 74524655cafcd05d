#ifndef ISOLATES_TRANSFERABLE_TYPED_DATA_H_
#define ISOLATES_TRANSFERABLE_TYPED_DATA_H_

// TransferableTypedData: bytes on their way to whoever takes them first. Making it from lists
// copies them once; sending it costs the same for any size; taking the bytes out costs nothing and
// can happen once over all isolates. (Dart's TransferableTypedData.)
//
// For one receiver. Bytes that many shall read belong into a Frozen<std::vector<std::byte>>.

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <new>
#include <ranges>
#include <span>
#include <type_traits>
#include <vector>

#include "isolates/detail/ref.h"
#include "isolates/detail/transfer_leaving.h"
#include "isolates/error.h"
#include "isolates/transfer.h"

namespace isolates {
namespace internal {

class TypedDataBlock;

// Bytes without pointers, which mean the same to every isolate.
template <class T>
concept TypedElement =
    std::is_trivially_copyable_v<T> && kTransferClass<T> == TransferClass::kPlain;

}  // namespace internal

class TransferableTypedData {
 public:
  // A list of numbers, or of other trivially copyable things without pointers, seen as its bytes.
  class List {
   public:
    // Refers to the elements; they must live as long as the list.
    template <std::ranges::contiguous_range R>
      requires std::ranges::sized_range<R> && internal::TypedElement<std::ranges::range_value_t<R>>
    List(const R& elements)  // NOLINT(google-explicit-constructor): so that lists can be listed
        : bytes_(
              std::as_bytes(std::span(std::ranges::data(elements), std::ranges::size(elements)))) {}
    std::span<const std::byte> bytes() const noexcept { return bytes_; }

   private:
    std::span<const std::byte> bytes_;
  };

  // The bytes of all lists, one after the other. Linear in the number of bytes.
  static TransferableTypedData FromList(std::span<const std::span<const std::byte>> lists);
  // FromList({samples, header}), where the lists may be of different types.
  static TransferableTypedData FromList(std::initializer_list<List> lists);
  // Takes the bytes over, without a copy.
  static TransferableTypedData FromBytes(std::vector<std::byte>&& bytes);

  // Refers to nothing.
  TransferableTypedData() noexcept;
  // Copies refer to the same bytes. What nobody takes is freed with the last of them.
  TransferableTypedData(const TransferableTypedData&) noexcept;
  TransferableTypedData(TransferableTypedData&&) noexcept;
  TransferableTypedData& operator=(TransferableTypedData other) noexcept;
  ~TransferableTypedData();

  // Takes the bytes out. Throws StateError if that has been done already, in whichever isolate, or
  // if this refers to nothing.
  [[nodiscard]] std::vector<std::byte> Materialize();

 private:
  explicit TransferableTypedData(internal::Ref<internal::TypedDataBlock> block) noexcept;

  internal::Ref<internal::TypedDataBlock> block_;
};

template <>
struct TransferTraits<TransferableTypedData> : internal::HandleTraits {};

// What Materialize gave, seen as elements of T, in place. Throws StateError if the number of bytes
// is no multiple of their size.
template <internal::TypedElement T>
[[nodiscard]] std::span<T> ElementsOf(std::vector<std::byte>& bytes) {
  static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);  // a vector's block is as aligned
  if (bytes.size() % sizeof(T) != 0) {
    throw StateError("the bytes are no whole number of elements of this type");
  }
  if (bytes.empty()) return {};
  return {std::launder(reinterpret_cast<T*>(bytes.data())), bytes.size() / sizeof(T)};
}
template <internal::TypedElement T>
std::span<T> ElementsOf(std::vector<std::byte>&&) = delete;  // they would dangle

}  // namespace isolates

#endif  // ISOLATES_TRANSFERABLE_TYPED_DATA_H_
