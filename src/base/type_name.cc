#include "isolates/detail/type_name.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

namespace isolates::internal {

std::string TypeName(const std::type_info& type) { return DemangledName(type.name()); }

std::string DemangledName(const char* raw) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> readable(
      abi::__cxa_demangle(raw, nullptr, nullptr, &status), &std::free);
  return status == 0 ? readable.get() : raw;
}

}  // namespace isolates::internal
