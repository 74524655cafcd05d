#include "isolates/transferable_typed_data.h"

#include <atomic>
#include <utility>

#include "isolates/detail/main_heap.h"

namespace isolates {
namespace internal {

// What the handles share. The bytes are const until somebody wins the right to take them.
class TypedDataBlock final : public RefCounted, public MainHeapObject {
 public:
  explicit TypedDataBlock(std::vector<std::byte>&& bytes) noexcept : bytes_(std::move(bytes)) {}

  // True for one caller only, who alone may touch the bytes from then on.
  // relaxed - the exchange only decides who that is, and publishes nothing: the bytes were written
  // before the winner got its handle (by the hand-over that brought it), the losers do not look at
  // them, and ~TypedDataBlock sees what the winner did by RefCounted::Release.
  bool Win() noexcept { return !taken_.exchange(true, std::memory_order_relaxed); }
  std::vector<std::byte> TakeBytes() noexcept { return std::move(bytes_); }

 private:
  std::atomic<bool> taken_{false};  // written by every handle's Materialize
  std::vector<std::byte> bytes_;
};

namespace {

// Room for that many bytes, in the main heap: they are for another isolate.
std::vector<std::byte> Room(std::size_t bytes) {
  const MainHeapScope scope;
  std::vector<std::byte> room;
  room.reserve(bytes);
  return room;
}

}  // namespace
}  // namespace internal

using internal::TypedDataBlock;

TransferableTypedData::TransferableTypedData(internal::Ref<TypedDataBlock> block) noexcept
    : block_(std::move(block)) {}
TransferableTypedData::TransferableTypedData() noexcept = default;
TransferableTypedData::TransferableTypedData(const TransferableTypedData&) noexcept = default;
TransferableTypedData::TransferableTypedData(TransferableTypedData&&) noexcept = default;
TransferableTypedData::~TransferableTypedData() = default;

TransferableTypedData& TransferableTypedData::operator=(TransferableTypedData other) noexcept {
  std::swap(block_, other.block_);
  return *this;
}

TransferableTypedData TransferableTypedData::FromList(
    std::span<const std::span<const std::byte>> lists) {
  std::size_t total = 0;
  for (const auto& list : lists) total += list.size();
  std::vector<std::byte> bytes = internal::Room(total);
  for (const auto& list : lists) bytes.insert(bytes.end(), list.begin(), list.end());
  return TransferableTypedData(internal::MakeRef<TypedDataBlock>(std::move(bytes)));
}

TransferableTypedData TransferableTypedData::FromList(std::initializer_list<List> lists) {
  std::vector<std::span<const std::byte>, internal::MainAllocator<std::span<const std::byte>>>
      spans;
  spans.reserve(lists.size());
  for (const List& list : lists) spans.push_back(list.bytes());
  return FromList(std::span<const std::span<const std::byte>>(spans));
}

TransferableTypedData TransferableTypedData::FromBytes(std::vector<std::byte>&& bytes) {
  auto block = internal::MakeRef<TypedDataBlock>(std::move(bytes));
  internal::MarkCurrentHeapLeaving();  // the block of the bytes is the caller's
  return TransferableTypedData(std::move(block));
}

std::vector<std::byte> TransferableTypedData::Materialize() {
  if (!block_) throw StateError("TransferableTypedData: there are no bytes to materialize");
  if (!block_->Win()) {
    throw StateError("TransferableTypedData: the bytes were materialized already");
  }
  return block_->TakeBytes();
}

}  // namespace isolates
