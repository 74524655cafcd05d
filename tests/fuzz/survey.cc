#include "tests/fuzz/survey.h"

#include <algorithm>
#include <cstring>

namespace isolates::fuzz {

constexpr std::size_t kMaxPath = 240;
constexpr std::size_t kPathHead = 100;
constexpr std::string_view kPathGap = " ... ";

std::string Survey::Path() const {
  if (path_.size() <= kMaxPath) return path_;
  const std::size_t tail = kMaxPath - kPathHead - kPathGap.size();
  return path_.substr(0, kPathHead).append(kPathGap).append(path_, path_.size() - tail);
}

void Survey::Start(std::string_view root_label, const Planted* planted) {
  planted_ = planted;
  path_ = root_label;
  paths_.clear();
  places_.clear();
  extents_.clear();
  expected_.clear();
  views_.clear();
  weak_.clear();
  shared_.clear();
  if (!shared_index_.empty()) shared_index_.clear();
  wrong_blocks_ = Wrong::kCount;
  blocks_ = 0;
  nested_parcels_ = 0;
  blocks_known_ = true;
  fingerprint_ = 0;
}

std::size_t Survey::PushIndex(std::size_t index) {
  const std::size_t old = path_.size();
  path_ += '[';
  path_ += std::to_string(index);
  path_ += ']';
  return old;
}

std::size_t Survey::Enter(void* object, const PlaceOps* ops, bool filled) {
  const auto begin = static_cast<std::uint32_t>(paths_.size());
  if (path_.size() <= kMaxPath) {
    paths_ += path_;
  } else {
    paths_ += Path();
  }
  const auto size = static_cast<std::uint32_t>(paths_.size()) - begin;
  places_.push_back({object, ops, begin, size, 0, filled});
  return places_.size() - 1;
}

bool Survey::Shared(const void* object) {
  const auto [at, added] = shared_index_.try_emplace(object, shared_.size());
  if (added) shared_.push_back({object, {}});
  shared_[at->second].second.push_back(Path());
  Print(at->second);
  return added;
}

const std::vector<std::string>* Survey::EdgesTo(const void* object) const {
  const auto at = shared_index_.find(object);
  return at == shared_index_.end() ? nullptr : &shared_[at->second].second;
}

void Survey::PrintBytes(const void* data, std::size_t bytes) {
  Print(bytes);
  const auto* at = static_cast<const unsigned char*>(data);
  for (; bytes >= sizeof(std::uint64_t); bytes -= sizeof(std::uint64_t)) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    Print(word);
    at += sizeof(word);
  }
  for (; bytes > 0; --bytes) Print(*at++);
}

std::uint64_t Survey::Fingerprint(const void* root, std::size_t bytes) {
  // Which piece of the graph a view leads into, and where in it: the same in any heap.
  std::vector<std::pair<Extent, std::size_t>> sorted;
  sorted.reserve(extents_.size() + 1);
  sorted.push_back({{static_cast<const std::byte*>(root), bytes, true}, 0});
  for (const Extent& extent : extents_) sorted.push_back({extent, sorted.size()});
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.first.data < b.first.data; });
  for (const ViewAt& view : views_) {
    Print(view.bytes);
    if (view.data == nullptr || view.bytes == 0) continue;
    const auto* const at = static_cast<const std::byte*>(view.data);
    auto next = std::upper_bound(
        sorted.begin(), sorted.end(), at,
        [](const std::byte* p, const auto& piece) { return p < piece.first.data; });
    if (next == sorted.begin() ||
        at >= std::prev(next)->first.data + std::prev(next)->first.bytes) {
      PrintBytes(view.data, view.bytes);  // a static
    } else {
      Print(std::prev(next)->second);
      Print(static_cast<std::uint64_t>(at - std::prev(next)->first.data));
    }
  }
  return fingerprint_;
}

}  // namespace isolates::fuzz
