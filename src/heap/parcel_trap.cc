#include "src/heap/parcel_trap.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <typeinfo>
#include <utility>

#include "isolates/detail/heap.h"
#include "isolates/detail/parcel_destination.h"
#include "isolates/detail/threads.h"
#include "isolates/detail/type_name.h"
#include "isolates/heap.h"
#include "src/heap/heap_book.h"

namespace isolates::internal {
namespace {

constexpr std::size_t kLongestName = 100;

constinit thread_local const HandOverTo::Words* destination = nullptr;
constinit std::atomic<std::uint64_t> hand_overs{0};

std::string ReadableType(const std::type_info& type) {
  constexpr std::string_view kLong =
      "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";
  std::string name = TypeName(type);
  for (std::size_t at = name.find(kLong); at != std::string::npos; at = name.find(kLong, at)) {
    name.replace(at, kLong.size(), "std::string");
  }
  return name;
}

// The type and the route are what a reader needs: both fit into a trap's text.
std::string Shortened(std::string name) {
  if (name.size() > kLongestName) {
    name.resize(kLongestName - 3);
    name += "...";
  }
  return name;
}

std::string DescribeParcel(const ParcelControl& parcel) {
  return parcel.type == nullptr ? std::string("a parcel")
                                : "a parcel of '" + Shortened(ReadableType(*parcel.type)) + "'";
}

}  // namespace

const HandOverTo::Words* HandOverTo::Current() noexcept { return destination; }

const HandOverTo::Words* HandOverTo::Exchange(const Words* words) noexcept {
  return std::exchange(destination, words);
}

std::uint64_t NextHandOver() noexcept {
  return hand_overs.fetch_add(1, std::memory_order_relaxed) + 1;  // a number that is taken once
}

std::string WhoRunsHere() {
  const char here = 0;
  const std::optional<std::string> name = StackNameOf(&here);
  return name ? "isolate '" + Shortened(*name) + "'" : std::string("a plain thread");
}

std::string DescribeRoute(std::uint64_t number) {
  std::string text = "hand-over " + std::to_string(number) + ", from " + WhoRunsHere();
  if (const HandOverTo::Words* const to = HandOverTo::Current()) {
    text += " to " + std::string(to->kind);
    if (!to->name.empty()) {
      text += " '" + Shortened(std::string(to->name)) + "'";
    }
    if (to->number != 0) {
      text += " (" + std::to_string(to->number) + ")";
    }
  }
  return text;
}

void TrapSentParcel(ParcelControl* parcel) noexcept try {
  const MainHeapScope scope;
  if (parcel->trap == nullptr) {
    parcel->trap = new ParcelTrap;
  }
  ParcelTrap& trap = *parcel->trap;
  trap.route = DescribeRoute(NextHandOver());
  const std::string text = DescribeParcel(*parcel) + " on its way: " + trap.route;
  if (parcel->heap != nullptr && !parcel->heap->shared()) {
    trap.guard = HeapBook::Get().Guard(parcel->heap, TrapKind::kHandOver, text);
  } else if (allocator() == Allocator::kMalloc && parcel->owned != nullptr && Poison::Available()) {
    Poison::Blocks blocks;
    parcel->owned(
        parcel->root,
        [](const void* start, std::size_t bytes, void* target) {
          const auto begin = reinterpret_cast<std::uintptr_t>(start);
          static_cast<Poison::Blocks*>(target)->push_back({begin, begin + bytes});
        },
        &blocks);
    trap.poison = std::make_unique<Poison>(std::move(blocks), text);
  }
} catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): then it goes unguarded
}

void TrapAdoptedParcel(ParcelControl* parcel) noexcept {
  if (parcel->trap == nullptr) {
    return;
  }
  parcel->trap->poison = nullptr;
  if (parcel->trap->guard != nullptr) {
    trap::Unprotect(std::exchange(parcel->trap->guard, nullptr));
  }
}

void TrapDroppedParcel(ParcelControl* parcel) noexcept {
  const MainHeapScope scope;
  std::string story;
  try {
    story = DescribeParcel(*parcel) + " that " + WhoRunsHere() + " dropped (" +
            (parcel->trap != nullptr ? parcel->trap->route : "never handed over") + ")";
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): then a trap tells no story
  }
  DestroyParcelHeap(parcel->heap, story);
}

}  // namespace isolates::internal
