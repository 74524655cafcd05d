// The audit takes two passes, as a refusal does: the first collects findings by the number of their
// edge, the second finds the paths of exactly those.

#include "isolates/audit.h"

#include <algorithm>
#include <cstdint>
#include <memory_resource>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "isolates/detail/heap.h"
#include "isolates/detail/threads.h"
#include "isolates/detail/transfer_walker.h"
#include "src/transfer/images.h"
#include "src/transfer/places.h"
#include "src/transfer/report.h"

namespace isolates {

std::string AuditFinding::ToString() const {
  std::string text = path + ": ";
  if (kind == AuditKind::kEdge) {
    text += type;
  } else {
    text += kind == AuditKind::kWordOfBlock ? "a word of the block of " : "a word of ";
    text += type + ", at byte " + std::to_string(offset) + ",";
  }
  text += " leads to " + place;
  if (bytes != 0) text += " (" + std::to_string(bytes) + " bytes)";
  return text;
}

std::string AuditReport::ToString() const {
  std::string text;
  for (const AuditFinding& finding : findings) text += finding.ToString() + '\n';
  return text;
}

namespace internal {
namespace {

constexpr std::size_t kMaxFindings = 1000;

// The writable static and thread-local storage of the process, as it is now.
class GlobalMap {
 public:
  GlobalMap() {
    const std::vector<KnownThread> threads = KnownThreads();
    for (const Image& image : LoadedImages()) {
      AddWritable(image);
      Add(image.thread_locals);
      if (image.thread_local_offset == 0) continue;
      const std::uintptr_t bytes = image.thread_locals.end - image.thread_locals.begin;
      for (const KnownThread& thread : threads) {
        const std::uintptr_t begin =
            thread.self + static_cast<std::uintptr_t>(image.thread_local_offset);
        Add({begin, begin + bytes});
      }
    }
    std::sort(ranges_.begin(), ranges_.end(),
              [](const AddressRange& a, const AddressRange& b) { return a.begin < b.begin; });
    AddHarmless();
  }

  bool Holds(std::uintptr_t address) const noexcept {
    const auto after = std::upper_bound(
        ranges_.begin(), ranges_.end(), address,
        [](std::uintptr_t wanted, const AddressRange& range) { return wanted < range.begin; });
    return after != ranges_.begin() && (after - 1)->Holds(address) &&
           std::find(harmless_.begin(), harmless_.end(), address) == harmless_.end();
  }

 private:
  void Add(AddressRange range) {
    if (range.begin < range.end) ranges_.push_back(range);
  }
  // Without what was made read-only after relocation.
  void AddWritable(const Image& image) {
    for (AddressRange range : image.writable) {
      for (const AddressRange& fixed : image.immutable) {
        if (fixed.end <= range.begin || fixed.begin >= range.end) continue;
        Add({range.begin, fixed.begin});
        range.begin = fixed.end;
      }
      Add(range);
    }
  }
  // Objects of the standard library that lie in writable memory, have no state to share, and to
  // which its types lead.
  void AddHarmless() {
    const std::logic_error empty("");  // its text is the one empty string of the older kind
    for (const void* const object : {
             static_cast<const void*>(std::pmr::new_delete_resource()),
             static_cast<const void*>(std::pmr::null_memory_resource()),
             static_cast<const void*>(&std::generic_category()),
             static_cast<const void*>(&std::system_category()),
             static_cast<const void*>(empty.what()),
         }) {
      harmless_.push_back(reinterpret_cast<std::uintptr_t>(object));
    }
  }

  WipedVector<AddressRange> ranges_;
  WipedVector<std::uintptr_t> harmless_;
};

struct Candidate {
  std::uint64_t edge;  // 0: the value itself
  AuditKind kind;
  std::size_t offset;
  std::uintptr_t address;
};

class Collector final : public EdgeObserver {
 public:
  explicit Collector(AuditReport* report) : report_(report) {}

  void OnBlock(std::uint64_t edge, const void* start, std::size_t bytes) override {
    ++report_->blocks;
    Scan(edge, start, bytes);
  }

  void OnView(std::uint64_t edge, const void* data) override {
    const auto address = reinterpret_cast<std::uintptr_t>(data);
    if (!map_.Holds(address)) return;
    // The scan of the block that holds the edge has met its word already.
    const auto same =
        std::find_if(found_.rbegin(), found_.rend(), [address](const Candidate& seen) {
          return seen.kind != AuditKind::kEdge && seen.address == address;
        });
    if (same != found_.rend()) {
      *same = {edge, AuditKind::kEdge, 0, address};
    } else {
      Note({edge, AuditKind::kEdge, 0, address});
    }
  }

  // Reads what a container has reserved and not yet used, too, which AddressSanitizer would refuse.
  [[gnu::no_sanitize_address]] void Scan(std::uint64_t edge, const void* start, std::size_t bytes) {
    using Word [[gnu::may_alias]] = std::uintptr_t;
    const auto begin = reinterpret_cast<std::uintptr_t>(start);
    const AuditKind kind = edge == 0 ? AuditKind::kWordOfValue : AuditKind::kWordOfBlock;
    const std::size_t first = (sizeof(Word) - begin % sizeof(Word)) % sizeof(Word);
    for (std::size_t at = first; at + sizeof(Word) <= bytes; at += sizeof(Word)) {
      const std::uintptr_t word = *reinterpret_cast<const Word*>(begin + at);  // NOLINT
      ++report_->words;
      if (map_.Holds(word)) Note({edge, kind, at, word});
    }
  }

  WipedVector<Candidate>& found() noexcept { return found_; }

 private:
  void Note(const Candidate& candidate) {
    if (found_.size() < kMaxFindings) found_.push_back(candidate);
  }

  const GlobalMap map_;
  AuditReport* const report_;
  WipedVector<Candidate> found_;
};

}  // namespace

AuditReport Audit(const void* value, std::size_t bytes, std::string_view type, RunWalk run,
                  std::string_view root_label) {
  const MainHeapScope scope;
  AuditReport report;
  Collector collector(&report);
  collector.Scan(0, value, bytes);
  WalkOptions options;
  options.check_owners = false;
  options.observer = &collector;
  Walker first(options);
  run(value, first);
  WipedVector<Candidate>& found = collector.found();
  std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    return a.edge != b.edge ? a.edge < b.edge : a.offset < b.offset;
  });

  std::vector<std::uint64_t> edges;
  for (const Candidate& candidate : found) {
    if (candidate.edge != 0 && (edges.empty() || edges.back() != candidate.edge)) {
      edges.push_back(candidate.edge);
    }
  }
  std::vector<Violation> places;  // of the edges, in the same order
  options.observer = nullptr;
  Walker second(options);
  second.RecordEdges(edges, root_label, &places);
  if (!edges.empty()) run(value, second);

  for (const Candidate& candidate : found) {
    AuditFinding finding;
    const auto edge = std::lower_bound(edges.begin(), edges.end(), candidate.edge);
    if (candidate.edge == 0) {
      finding.path = root_label;
      finding.type = PrettyTypeName(type);
    } else {
      const Violation& known = places[static_cast<std::size_t>(edge - edges.begin())];
      finding.path = known.path;
      finding.type = known.type;
    }
    finding.kind = candidate.kind;
    finding.offset = candidate.offset;
    AddressPlace place = PlaceOf(reinterpret_cast<const void*>(candidate.address));  // NOLINT
    finding.place = std::move(place.text);
    finding.symbol = std::move(place.symbol);
    finding.bytes = place.bytes;
    report.findings.push_back(std::move(finding));
  }
  return report;
}

}  // namespace internal
}  // namespace isolates
