#include "isolates/detail/type_name.h"

#include <cxxabi.h>

#include <cstdlib>

namespace isolates::internal {

std::string TypeName(const std::type_info& type) { return DemangledName(type.name()); }

std::string DemangledName(const char* raw) {
  int status = 0;
  char* readable = abi::__cxa_demangle(raw, nullptr, nullptr, &status);
  std::string name = status == 0 ? readable : raw;
  std::free(readable);
  return name;
}

}  // namespace isolates::internal
