#ifndef ISOLATES_SRC_TRANSFER_REPORT_H_
#define ISOLATES_SRC_TRANSFER_REPORT_H_

// The wording of refusals.

#include <string>
#include <string_view>

#include "isolates/detail/transfer_walker.h"

namespace isolates::internal {

struct FaultWords {
  Fault fault;
  const void* address;
  const char* kind;  // kViewOutside, kViewOfRoot: the kind of view; kCapture: the hazard
  long held;         // kSharedOutside
  long total;
};

Violation WordViolation(const FaultWords& fault, std::string path, std::string type);

// "std::string" for "std::__cxx11::basic_string<char>".
std::string PrettyTypeName(std::string_view compiler_name);

// Long paths keep their beginning and their end.
std::string ElideMiddle(std::string path);

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_TRANSFER_REPORT_H_
