#ifndef ISOLATES_TESTS_FUZZ_TYPE_OPS_H_
#define ISOLATES_TESTS_FUZZ_TYPE_OPS_H_

// A message type without its type: what the fuzzer does with a value of it.

#include <cstddef>
#include <memory>
#include <vector>

#include "isolates/detail/heap.h"
#include "isolates/detail/transfer_seal.h"
#include "isolates/transfer.h"
#include "tests/fuzz/shape.h"

namespace isolates::fuzz {

struct TypeOps {
  std::string_view name;
  std::size_t size;
  TransferClass transfer_class;
  Drop drop;
  void* (*make)();
  void (*fill)(void* value, Builder& builder);
  void (*go)(void* value, Survey& survey);
  void (*destroy)(void* value);
  VerifyReport (*verify)(const void* value);
  // The violations of a refusal.
  std::vector<Violation> (*send)(const void* value, VerifyLevel level);
  std::vector<internal::BlockRange> (*owned)(const void* value);
  // Seals a parcel (throws); drops it, by the parcel's own choice.
  internal::ParcelControl* (*seal)(internal::Heap* heap, void* value);
  void (*drop_parcel)(internal::ParcelControl* parcel);
};

template <class T>
constexpr TypeOps MakeTypeOps() {
  static_assert(kTransferClass<T> == Shape<T>::kClass, "the classification and the fuzzer differ");
  static_assert(Shape<T>::DropOf(false) == Drop::kEither ||
                    kRegionDroppable<T> == (Shape<T>::DropOf(false) == Drop::kYes),
                "droppable or not: the library and the fuzzer differ");
  return {
      .name = internal::TypeNameOf<T>(),
      .size = sizeof(T),
      .transfer_class = Shape<T>::kClass,
      .drop = kRegionDroppable<T> ? Drop::kYes : Drop::kNo,
      .make = []() -> void* { return new T(); },
      .fill = [](void* value, Builder& builder) { FillIn(As<T>(value), builder); },
      .go = [](void* value, Survey& survey) { GoInto(As<T>(value), survey); },
      .destroy = [](void* value) { delete static_cast<T*>(value); },
      .verify = [](const void* value) { return Verify(As<T>(value)); },
      .send = [](const void* value, VerifyLevel level) -> std::vector<Violation> {
        try {
          internal::VerifyForSend(As<T>(value), "value", level);
        } catch (const TransferError& error) {
          const internal::MainHeapScope scope;
          return error.violations();
        }
        return {};
      },
      .owned = [](const void* value) { return internal::OwnedBlocks(As<T>(value)); },
      .seal =
          [](internal::Heap* heap, void* value) {
            return internal::ParcelAccess::Detach(
                internal::SealParcel(heap, static_cast<T*>(value), heap->is_parcel(), "value"));
          },
      .drop_parcel =
          [](internal::ParcelControl* parcel) { internal::ParcelAccess::Adopt<T>(parcel).Drop(); },
  };
}

template <class T>
inline constexpr TypeOps kTypeOps = MakeTypeOps<T>();

// All types of the fuzzer; the order is part of what a seed means.
const std::vector<const TypeOps*>& AllTypes();

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_TYPE_OPS_H_
