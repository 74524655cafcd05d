#include "tests/fuzz/oracle.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace isolates::fuzz {

const char* NameOf(Wrong wrong) {
  switch (wrong) {
    case Wrong::kStranger:
      return "block of a stranger";
    case Wrong::kNotABlock:
      return "owned, but no block";
    case Wrong::kView:
      return "view";
    case Wrong::kViewOfRoot:
      return "view of the root";
    case Wrong::kSharedOutside:
      return "shared outside";
    case Wrong::kWeakKeeper:
      return "weak outside";
    case Wrong::kOpaque:
      return "opaque owner";
    case Wrong::kWeakOutside:
      return "weak to outside";
    case Wrong::kResource:
      return "memory resource";
    case Wrong::kCapture:
      return "capture";
    case Wrong::kUnlisted:
      return "unlisted type";
    case Wrong::kMarked:
      return "mark";
    case Wrong::kCount:
      break;
  }
  return "unknown words";
}

Wrong WrongOf(const Violation& violation) {
  const std::string_view what = violation.what;
  const auto says = [what](std::string_view words) {
    return what.find(words) != std::string_view::npos;
  };
  if (says("is marked unsendable")) return Wrong::kMarked;
  if (says("DynamicTypes")) return Wrong::kUnlisted;
  if (says("closure captures") || says("std::function")) return Wrong::kCapture;
  if (says("not the start of a block")) return Wrong::kNotABlock;
  if (says("owns a block in")) return Wrong::kStranger;
  if (says("memory resource")) return Wrong::kResource;
  if (says("holds something else")) return Wrong::kOpaque;
  if (says("a weak_ptr outside")) return Wrong::kWeakKeeper;
  if (says("of them in the message")) return Wrong::kSharedOutside;
  if (says("weak_ptr to an object")) return Wrong::kWeakOutside;
  if (says("into the message itself")) return Wrong::kViewOfRoot;
  if (says(" into ")) return Wrong::kView;
  return Wrong::kCount;
}

std::string Differences(const std::vector<Violation>& violations, const Graph& graph,
                        const Survey& survey, bool strict) {
  if (violations.empty() && graph.expected().empty()) return {};
  using Entry = std::pair<Wrong, std::string>;
  std::vector<Entry> actual;
  for (const Violation& violation : violations) {
    actual.emplace_back(WrongOf(violation), violation.path);
  }
  std::vector<Entry> expected;
  for (const Expected& one : graph.expected()) {
    if (one.strict_only && !strict) continue;
    if (one.shared == nullptr) {
      expected.emplace_back(one.wrong, one.path);
      continue;
    }
    // Any edge to the shared object will do.
    const std::vector<std::string>& edges = *survey.EdgesTo(one.shared);
    const auto named = std::find_if(actual.begin(), actual.end(), [&](const Entry& entry) {
      return entry.first == one.wrong &&
             std::find(edges.begin(), edges.end(), entry.second) != edges.end();
    });
    if (named == actual.end()) {
      expected.emplace_back(one.wrong, edges.front());
    } else {
      actual.erase(named);
    }
  }
  std::sort(actual.begin(), actual.end());
  std::sort(expected.begin(), expected.end());
  std::vector<Entry> missed;
  std::vector<Entry> surplus;
  std::set_difference(expected.begin(), expected.end(), actual.begin(), actual.end(),
                      std::back_inserter(missed));
  std::set_difference(actual.begin(), actual.end(), expected.begin(), expected.end(),
                      std::back_inserter(surplus));
  if (strict) {
    // Rule V4 lets the strict level doubt closures that are not just their bits.
    std::erase_if(surplus, [&graph](const Entry& entry) {
      return entry.first == Wrong::kCapture &&
             std::find(graph.doubtful().begin(), graph.doubtful().end(), entry.second) !=
                 graph.doubtful().end();
    });
  }
  std::string text;
  for (const auto& [wrong, path] : missed) {
    text += std::string("    missed: ") + NameOf(wrong) + " at " + path + "\n";
  }
  for (const auto& [wrong, path] : surplus) {
    text += std::string("    falsely refused: ") + NameOf(wrong) + " at " + path + "\n";
    for (const Violation& violation : violations) {
      if (violation.path == path) text += "      " + violation.ToString() + "\n";
    }
  }
  return text;
}

}  // namespace isolates::fuzz
