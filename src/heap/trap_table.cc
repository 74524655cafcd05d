#include "src/heap/trap_table.h"

namespace isolates::internal {

TrapTable::Place* TrapTable::Add(TrapKind kind, std::string_view text) noexcept {
  std::uint32_t index = free_places_.used;
  if (index < kPlaces) {
    ++free_places_.used;
  } else if (free_places_.first != 0) {
    index = free_places_.first - 1;
    free_places_.first = places_[index].next_free;
  } else {
    return nullptr;
  }
  Place& place = places_[index];
  // relaxed - T3: the releases below keep it before them.
  place.number.store(0, std::memory_order_relaxed);
  std::array<std::uint64_t, kTextBytes / sizeof(std::uint64_t)> words{};
  text.copy(reinterpret_cast<char*>(words.data()), kTextBytes - 1);
  for (std::size_t i = 0; i < words.size(); ++i) {
    // release - pairs with the acquire in Read: who sees this word sees the number cleared.
    place.text[i].store(words[i], std::memory_order_release);
  }
  place.kind.store(kind, std::memory_order_release);    // release - as above
  place.stands.store(true, std::memory_order_release);  // release - as above
  place.first_range = 0;
  // release - pairs with the acquire in Read: the words above.
  place.number.store(++last_number_, std::memory_order_release);
  return &place;
}

bool TrapTable::Extend(Place* place, AddressRange wanted) noexcept {
  std::uint32_t index = free_ranges_.used;
  if (index < kRanges) {
    ++free_ranges_.used;
    // relaxed - a range counts for readers by its number.
    ranges_used_.store(free_ranges_.used, std::memory_order_relaxed);
  } else if (free_ranges_.first != 0) {
    index = free_ranges_.first - 1;
    free_ranges_.first = ranges_[index].next;
  } else {
    return false;
  }
  Range& range = ranges_[index];
  // relaxed - T3: the releases below keep it before them.
  range.number.store(0, std::memory_order_relaxed);
  // release - each pairs with the acquire in Find: who sees it sees the number cleared.
  range.begin.store(wanted.begin, std::memory_order_release);
  range.end.store(wanted.end, std::memory_order_release);
  range.place.store(static_cast<std::uint32_t>(place - places_.data()), std::memory_order_release);
  range.next = place->first_range;
  place->first_range = index + 1;
  // release - pairs with the acquire in Find: the words above. relaxed - the writer's own number.
  range.number.store(place->number.load(std::memory_order_relaxed), std::memory_order_release);
  return true;
}

void TrapTable::End(Place* place) noexcept {
  // release - pairs with the acquire in Read: who sees it sees what made the pages accessible.
  place->stands.store(false, std::memory_order_release);
  const auto append = [](FreeQueue& queue, auto& entries, std::uint32_t at, auto next) {
    entries[at - 1].*next = 0;
    if (queue.first == 0) {
      queue.first = at;
    } else {
      entries[queue.last - 1].*next = at;
    }
    queue.last = at;
  };
  while (place->first_range != 0) {
    const std::uint32_t at = place->first_range;
    place->first_range = ranges_[at - 1].next;
    append(free_ranges_, ranges_, at, &Range::next);
  }
  append(free_places_, places_, static_cast<std::uint32_t>(place - places_.data()) + 1,
         &Place::next_free);
}

void TrapTable::Find(std::uintptr_t address, Found* found) const noexcept {
  std::uint64_t best = 0;
  // relaxed - T1: for a guard that stands the fault came after it was complete.
  const std::uint32_t used = ranges_used_.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < used; ++i) {
    const Range& range = ranges_[i];
    // acquire - pairs with the last release in Extend: this guard's words or later ones.
    const std::uint64_t number = range.number.load(std::memory_order_acquire);
    // acquire - pairs with the releases in Extend: a later guard's word shows its cleared number.
    const std::uintptr_t begin = range.begin.load(std::memory_order_acquire);
    const std::uintptr_t end = range.end.load(std::memory_order_acquire);
    const std::uint32_t place = range.place.load(std::memory_order_acquire);
    // relaxed - T3: ordered after the acquires above.
    if (address < begin || address >= end ||
        range.number.load(std::memory_order_relaxed) != number) {
      continue;
    }
    if (number > best) {  // of two guards over one page the later one stands, if any
      Found candidate;
      Read(places_[place], number, &candidate);
      if (candidate.any) {
        best = number;
        *found = candidate;
      }
    }
  }
}

void TrapTable::Read(const Place& place, std::uint64_t number, Found* found) noexcept {
  // acquire - pairs with the last release in Add: this guard's words or later ones.
  if (place.number.load(std::memory_order_acquire) != number) {
    return;
  }
  // acquire - here and below - pairs with the releases in Add and End.
  found->stands = place.stands.load(std::memory_order_acquire);
  found->kind = place.kind.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < place.text.size(); ++i) {
    const std::uint64_t word = place.text[i].load(std::memory_order_acquire);
    std::memcpy(found->text.data() + i * sizeof(word), &word, sizeof(word));
  }
  // relaxed - T3: ordered after the acquires above.
  found->any = place.number.load(std::memory_order_relaxed) == number;
}

}  // namespace isolates::internal
