#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"
#include "tests/fuzz/dynamic_types.h"
#include "tests/fuzz/legs.h"
#include "tests/fuzz/nodes.h"

namespace isolates::fuzz {
namespace {

// What both sides build from the seed: a graph without plants, all of its views inside of itself.
// (The views of a value that is moved lead into blocks, which stay where they are.)
template <class T>
T Build(std::uint64_t seed) {
  Choices random(seed);
  Builder builder{random, 60, 9};
  T value{};
  FillIn(value, builder);
  const Survey::Planted planted;
  Survey survey;
  survey.Start("value", &planted);
  GoInto(value, survey);
  for (const Place& place : survey.places()) {
    const PlaceOps& ops = *place.ops;
    if (ops.point == nullptr || ops.closure || survey.extents().empty()) continue;
    const Extent& extent = survey.extents()[random.Below(survey.extents().size())];
    if (extent.bytes < ops.unit || ops.align > alignof(std::max_align_t)) continue;
    ops.point(place.object, extent.data, ops.single ? 1 : extent.bytes / ops.unit);
  }
  return value;
}

template <class T>
std::uint64_t FingerprintOf(const T& value) {
  const Survey::Planted planted;
  Survey survey;
  survey.Start("value", &planted);
  GoInto(value, survey);
  return survey.Fingerprint(std::addressof(value), sizeof(T));
}

std::string Differs(const char* how, std::string_view type) {
  return "  " + std::string(how) + ": another graph arrived: " + std::string(type) + "\n";
}

template <class T>
std::string Compare(const char* how, const T& value, std::uint64_t seed) {
  const T again = Build<T>(seed);
  if (FingerprintOf(value) == FingerprintOf(again)) return {};
  return Differs(how, internal::TypeNameOf<T>());
}

// ---- the ways ----

template <class T>
std::string ByRun(std::uint64_t seed) {
  return Compare<T>("result of Run", Isolate::Run(&Build<T>, seed).Get(), seed);
}

template <class T>
std::string ByRunParcel(std::uint64_t seed) {
  const Parcel<T> parcel = Isolate::RunParcel(&Build<T>, seed).Get();
  return Compare<T>("result of RunParcel", parcel.get(), seed);
}

template <class T>
std::string ByArgument(std::uint64_t seed) {
  return Isolate::Run(
             [](T value, std::uint64_t again) { return Compare<T>("argument", value, again); },
             Build<T>(seed), seed)
      .Get();
}

// There and back: two hand-overs of the same blocks.
template <class T>
std::string ByEcho(std::uint64_t seed) {
  return Compare<T>("echo", Isolate::Run([](T value) { return value; }, Build<T>(seed)).Get(),
                    seed);
}

template <class T>
std::string BySend(std::uint64_t seed) {
  ReceivePort<T> port;
  Future<void> done =
      Isolate::Run([](SendPort<T> to, std::uint64_t again) { to.Send(Build<T>(again)); },
                   port.send_port(), seed);
  const std::optional<T> value = port.Receive(kForever);
  done.Get();
  return value.has_value() ? Compare<T>("Send", *value, seed) : "  Send: nothing arrived\n";
}

template <class T>
std::string ByExit(std::uint64_t seed) {
  ReceivePort<T> port;
  ReceivePort<int> exits;
  Isolate::Spawn(
      [](std::pair<SendPort<T>, std::uint64_t> message) {
        Isolate::Exit(message.first, Build<T>(message.second));
      },
      std::pair(port.send_port(), seed), SpawnOptions().OnExit(exits.send_port(), 1))
      .Get();
  const std::optional<T> value = port.Receive(kForever);
  (void)exits.Receive(kForever);
  return value.has_value() ? Compare<T>("Exit", *value, seed) : "  Exit: nothing arrived\n";
}

// A parcel between live isolates, over two hops.
template <class T>
std::string ByMakeParcel(std::uint64_t seed) {
  ReceivePort<Parcel<T>> port;
  Future<void> done =
      Isolate::Run([](SendPort<Parcel<T>> to, Parcel<T> parcel) { to.Send(std::move(parcel)); },
                   port.send_port(), MakeParcel(&Build<T>, seed));
  const std::optional<Parcel<T>> parcel = port.Receive(kForever);
  done.Get();
  return parcel.has_value() ? Compare<T>("MakeParcel and Send", parcel->get(), seed)
                            : "  Send: nothing arrived\n";
}

// Read by two isolates at a time.
template <class T>
std::string ByFreeze(std::uint64_t seed) {
  const Frozen<T> frozen = Freeze(Build<T>(seed));
  const auto read = [](Frozen<T> value, std::uint64_t again) {
    return Compare<T>("Frozen", value.get(), again);
  };
  Future<std::string> one = Isolate::Run(read, frozen, seed);
  Future<std::string> two = Isolate::Run(read, frozen, seed);
  std::string wrong = one.Get();
  return wrong + two.Get();
}

// A part goes as a message of its own; it and the rest are what they were, in any order of drops.
std::string BySplit(std::uint64_t seed) {
  const Tree again = Build<Tree>(seed);
  Parcel<Tree> whole = MakeParcel(&Build<Tree>, seed);
  Parcel<std::vector<Tree>> part =
      whole.Split([](Tree& tree) -> std::vector<Tree>& { return tree.children; });
  std::string wrong =
      Isolate::Run(
          [](Parcel<std::vector<Tree>> children, std::uint64_t built) {
            return FingerprintOf(children.get()) == FingerprintOf(Build<Tree>(built).children)
                       ? std::string()
                       : Differs("Split", "the part");
          },
          std::move(part), seed)
          .Get();
  if (whole->name != again.name || !whole->children.empty() ||
      FingerprintOf(whole->list) != FingerprintOf(again.list)) {
    wrong += Differs("Split", "the rest");
  }
  return wrong;
}

using Mixed = Three<std::map<int, std::string>, std::vector<Link>, std::deque<std::u16string>>;

template <class T>
std::string HandOver(Choices& random) {
  constexpr std::array kWays = {&ByRun<T>,  &ByRunParcel<T>, &ByArgument<T>,  &ByEcho<T>,
                                &BySend<T>, &ByExit<T>,      &ByMakeParcel<T>};
  const std::uint64_t seed = random.Next();
  return kWays[random.Below(kWays.size())](seed);
}

}  // namespace

std::string PropertyLeg(Bench&, Choices& random) {
  switch (random.Below(8)) {
    case 0:
      return HandOver<Node>(random);
    case 1:
      return HandOver<Tree>(random);
    case 2:
      return HandOver<Link>(random);
    case 3:
      return HandOver<Dynamic>(random);
    case 4:
      return BySplit(random.Next());
    case 5:
      return ByFreeze<Mixed>(random.Next());
    default:
      return HandOver<Mixed>(random);
  }
}

}  // namespace isolates::fuzz
