#include "src/transfer/report.h"

#include <string>
#include <string_view>
#include <utility>

#include "isolates/detail/threads.h"
#include "isolates/detail/type_name.h"
#include "src/transfer/places.h"

namespace isolates {

std::string Violation::ToString() const {
  std::string text = path + ": " + what;
  if (!hint.empty()) text += " (" + hint + ")";
  return text;
}

namespace internal {
namespace {

constexpr std::size_t kMaxPath = 240;
constexpr std::size_t kPathHead = 100;

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string OwnTheData(std::string_view kind) {
  if (kind == "string_view") return "own the text: use std::string";
  if (kind == "span" || kind == "initializer_list") return "own the elements: use std::vector";
  if (kind == "reference_wrapper" || kind == "reference") return "send a value";
  return "own the object: use a value or std::unique_ptr";
}

std::string HintForView(std::string_view kind, PlaceKind place) {
  switch (place) {
    case PlaceKind::kWritableStatic:
      return "isolates share no variables: send a copy, or make it constexpr";
    case PlaceKind::kThreadLocal:
      return "a thread_local belongs to one thread, not to an isolate: send a copy";
    case PlaceKind::kLaterLibrary:
      return "such a library can be unloaded: send a copy";
    default:
      return OwnTheData(kind);
  }
}

// "string_view into the stack of isolate 'parser'"
std::string DescribeView(std::string_view kind, const AddressPlace& place) {
  std::string text = std::string(kind) + " into " + place.text;
  // A block of a heap would be fine if the message owned it.
  if (place.kind == PlaceKind::kIsolateHeap || place.kind == PlaceKind::kMainHeap) {
    text += ", in memory that the message does not own";
  }
  return text;
}

// "std::pmr::vector<int>" for "std::vector<int, std::pmr::polymorphic_allocator<int>>".
void ShortenPmr(std::string& name) {
  const std::size_t allocator = name.find(", std::pmr::polymorphic_allocator<");
  if (allocator == std::string::npos || !name.starts_with("std::") || !name.ends_with(">>")) {
    return;
  }
  name = "std::pmr::" + name.substr(5, allocator - 5) + '>';
}

}  // namespace

std::string PrettyTypeName(std::string_view compiler_name) {
  std::string name(compiler_name);
  ReplaceAll(name, "__cxx11::", "");
  ReplaceAll(name, "{anonymous}::", "");
  ReplaceAll(name, "(anonymous namespace)::", "");
  ReplaceAll(name, " >", ">");
  ReplaceAll(name, "basic_string<char>", "string");
  ReplaceAll(name, "basic_string_view<char>", "string_view");
  ShortenPmr(name);
  return name;
}

std::string ElideMiddle(std::string path) {
  if (path.size() <= kMaxPath) return path;
  const std::size_t tail = kMaxPath - kPathHead - 5;
  return path.substr(0, kPathHead) + " ... " + path.substr(path.size() - tail);
}

Violation WordViolation(const FaultWords& fault, std::string path, std::string type) {
  Violation violation{std::move(path), std::move(type), {}, {}};
  switch (fault.fault) {
    case Fault::kOwnedByStranger:
      violation.what = violation.type + " owns a block in " + PlaceOf(fault.address).text;
      violation.hint = "only what was handed over may be handed on: let that isolate send it";
      break;
    case Fault::kNotABlock:
      violation.what = violation.type + " owns an address in " + PlaceOf(fault.address).text +
                       " that is not the start of a block";
      violation.hint = "let it own memory from operator new (std::make_unique)";
      break;
    case Fault::kViewOutside: {
      const AddressPlace place = PlaceOf(fault.address);
      violation.what = DescribeView(fault.kind, place);
      violation.hint = HintForView(fault.kind, place.kind);
      break;
    }
    case Fault::kViewOfRoot:
      violation.what =
          std::string(fault.kind) + " into the message itself, which is moved when it is sent";
      violation.hint =
          "own a copy, keep an offset, or send a parcel; a short std::string holds its text in "
          "itself";
      break;
    case Fault::kSharedOutside:
      if (std::string_view(fault.kind) == "weak") {
        violation.what = "shared_ptr to an object to which a weak_ptr outside of the message leads";
      } else {
        violation.what = "shared_ptr with " + std::to_string(fault.total) + " references, only " +
                         std::to_string(fault.held) + " of them in the message";
      }
      violation.hint =
          "drop the others before sending, send a copy, or share it with isolates::Freeze";
      break;
    case Fault::kSharedOpaque:
      violation.what =
          "shared_ptr whose owner holds something else: an alias, a derived class or a deleter";
      violation.hint = "use std::make_shared of exactly this type, or std::unique_ptr";
      break;
    case Fault::kWeakOutside:
      violation.what = "weak_ptr to an object that is not in the message";
      violation.hint = "let the message own the object, or send an id";
      break;
    case Fault::kResource:
      violation.what = violation.type + " on a memory resource that stays behind, in " +
                       PlaceOf(fault.address).text;
      violation.hint = "use std::pmr::new_delete_resource(), or the container without pmr";
      break;
    case Fault::kOwnedTwice:
      violation.what = violation.type +
                       " owns an object that the message owns already, a cycle or a "
                       "second owner";
      violation.hint = "leave back pointers out of Owns: a plain pointer may lead to what is owned";
      break;
    case Fault::kDynamicType:
      violation.what = violation.type + " holds a '" + PrettyTypeName(DemangledName(fault.kind)) +
                       "', which is not one of its DynamicTypes";
      violation.hint = "add it where isolates::DynamicTypes is specialized";
      break;
    case Fault::kMarked:
      violation.what = "the object is marked unsendable: " + std::string(fault.kind);
      violation.hint = "let its owner clear the mark, or send what others need to know";
      break;
    case Fault::kNoted:
      break;
    case Fault::kCapture: {
      const std::string_view hazard = fault.kind;
      if (hazard.empty()) {
        violation.what = "closure captures an address in " + PlaceOf(fault.address).text +
                         ": by [&], [&x], [this] of a local object or a pointer";
        violation.hint = "capture values ([=], [x]), or use a captureless function with arguments";
      } else {
        violation.what = "closure captures the address of " + std::string(hazard) +
                         ": by [this], or by [&] in a coroutine";
        violation.hint = "capture the members that are needed by value ([x = x_])";
      }
      break;
    }
  }
  return violation;
}

}  // namespace internal
}  // namespace isolates
