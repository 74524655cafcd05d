#include "tests/fuzz/dynamic_types.h"
#include "tests/fuzz/handle_types.h"
#include "tests/fuzz/nodes.h"
#include "tests/fuzz/random_types.h"
#include "tests/fuzz/type_ops.h"

namespace isolates::fuzz {

const std::vector<const TypeOps*>& AllTypes() {
  static const auto& types = *[] {
    const internal::MainHeapScope scope;
    auto* const all = new std::vector<const TypeOps*>{
        &kTypeOps<Node>,
        &kTypeOps<Tree>,
        &kTypeOps<Link>,
        &kTypeOps<std::vector<Link>>,
        &kTypeOps<Two<std::vector<Node>, std::shared_ptr<Node>>>,
        &kTypeOps<Dynamic>,
        &kTypeOps<std::list<std::unique_ptr<Animal>>>,
        &kTypeOps<std::map<std::string, RawChain>>,
        &kTypeOps<Handles>,
        &kTypeOps<Two<nlohmann::json, std::vector<std::string_view>>>};
    AddRandomTypes0(*all);
    AddRandomTypes1(*all);
    AddRandomTypes2(*all);
    AddRandomTypes3(*all);
    AddRandomTypes4(*all);
    AddRandomTypes5(*all);
    return all;
  }();
  return types;
}

}  // namespace isolates::fuzz
