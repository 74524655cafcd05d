// Readable type names for error reports.

#ifndef ISOLATES_DETAIL_TYPE_NAME_H_
#define ISOLATES_DETAIL_TYPE_NAME_H_

#include <string>
#include <typeinfo>

namespace isolates::internal {

// "std::runtime_error" rather than the mangled name.
std::string TypeName(const std::type_info& type);
// The same for type_info::name().
std::string DemangledName(const char* raw);

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TYPE_NAME_H_
