#include <array>
#include <memory>
#include <string>
#include <vector>

#include "isolates/isolates.h"
#include "tests/fuzz/legs.h"
#include "tests/fuzz/nodes.h"

namespace isolates::fuzz {
namespace {

// What both sides build from the seed: a graph without plants, all of its views inside of itself.
// The views of a value that is moved lead into blocks, which stay where they are.
template <class T>
T Build(std::uint64_t seed) {
  Choices random(seed);
  Builder builder{random, 60, 9};
  T value{};
  FillIn(value, builder);
  Survey::Planted planted;
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
  Survey::Planted planted;
  Survey survey;
  survey.Start("value", &planted);
  GoInto(value, survey);
  return survey.Fingerprint(std::addressof(value), sizeof(T));
}

template <class T>
std::string Compare(const char* how, const T& value, std::uint64_t seed) {
  const T again = Build<T>(seed);
  if (FingerprintOf(value) == FingerprintOf(again)) return {};
  return "  " + std::string(how) +
         ": another graph arrived: " + std::string(internal::TypeNameOf<T>()) + "\n";
}

template <class T>
std::string HandOver(Choices& random) {
  const std::uint64_t seed = random.Next();
  switch (random.Below(4)) {
    case 0:
      return Compare<T>("result of Run", Isolate::Run(&Build<T>, seed).Get(), seed);
    case 1: {
      const Parcel<T> parcel = Isolate::RunParcel(&Build<T>, seed).Get();
      return Compare<T>("result of RunParcel", parcel.get(), seed);
    }
    case 2:
      return Isolate::Run(
                 [](T value, std::uint64_t again) { return Compare<T>("argument", value, again); },
                 Build<T>(seed), seed)
          .Get();
    default:
      // There and back: two hand-overs of the same blocks.
      return Compare<T>("echo", Isolate::Run([](T value) { return value; }, Build<T>(seed)).Get(),
                        seed);
  }
}

using Mixed = Three<std::map<int, std::string>, std::vector<Link>, std::deque<std::u16string>>;

}  // namespace

std::string PropertyLeg(Bench&, Choices& random) {
  switch (random.Below(4)) {
    case 0:
      return HandOver<Node>(random);
    case 1:
      return HandOver<Tree>(random);
    case 2:
      return HandOver<Link>(random);
    default:
      return HandOver<Mixed>(random);
  }
}

}  // namespace isolates::fuzz
