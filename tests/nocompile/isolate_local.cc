// Misuse of IsolateLocal and TransferableTypedData that the compiler must refuse.

#include "isolates/isolate_local.h"

#include <memory>
#include <string>
#include <vector>

#include "isolates/transferable_typed_data.h"

namespace {

struct Value {
#ifdef THROWING_DESTRUCTOR
  ~Value() noexcept(false) {}  // NOLINT(bugprone-exception-escape)
#endif
  int number = 0;
};

[[maybe_unused]] isolates::IsolateLocal<Value> value;

#ifdef SHARED_INITIAL_VALUE
// All isolates would get the same int.
isolates::IsolateLocal<std::shared_ptr<int>> shared(std::make_shared<int>(1));
#else
isolates::IsolateLocal<std::shared_ptr<int>> shared([] { return std::make_shared<int>(1); });
#endif

[[maybe_unused]] void Use() {
  ++value->number;
  ++**shared;
  const std::vector<int> numbers{1};
  auto data = isolates::TransferableTypedData::FromList({numbers});
#ifdef TYPED_DATA_OF_POINTERS
  const std::vector<const char*> names{"a"};
  data = isolates::TransferableTypedData::FromList({names});
#endif
}

}  // namespace
