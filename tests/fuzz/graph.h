#ifndef ISOLATES_TESTS_FUZZ_GRAPH_H_
#define ISOLATES_TESTS_FUZZ_GRAPH_H_

// One random graph: built, linked, planted with violations, and taken down again. It notes what it
// plants: that is the oracle.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/fuzz/random.h"
#include "tests/fuzz/survey.h"
#include "tests/fuzz/type_ops.h"
#include "tests/fuzz/worker.h"

namespace isolates::fuzz {

inline constexpr std::size_t kDropReasons = static_cast<std::size_t>(DropReason::kPlainMalloc) + 1;

// How often each kind of plant was planted: rows are places, columns where they lead.
struct PlantCounts {
  std::size_t views[static_cast<std::size_t>(Stray::kCount)] = {};
  std::size_t closures = 0;
  std::size_t by_wrong[static_cast<std::size_t>(Wrong::kCount)] = {};
  // What became of parcels, by DropReason.
  std::size_t parcels[kDropReasons] = {};
  void Add(const PlantCounts& other);
};

class Graph {
 public:
  struct Options {
    internal::Heap* heap = nullptr;  // where it is built; nullptr: the main heap
    // For a parcel. The root is a block that stays where it is, not a value that is moved; and a
    // refusal deletes it: no plants that its destructor cannot bear, no cycles.
    bool parcel = false;
    bool large = false;
    bool received = false;  // some containers hold blocks of a former message
  };

  // `survey` is the caller's only to save its memory for the next graph.
  Graph(Worker& worker, Survey& survey, const TypeOps& type, Choices& random,
        const Options& options);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // Lets shared_ptrs share and weak_ptrs observe; brings blocks of a former message in.
  void Link();
  // Plants about `count` violations, points all other views at memory that they may lead to, and
  // settles what is to be expected.
  void Plant(std::size_t count);
  // Plants one more and tells nobody. False if there was no place for it.
  bool PlantInSecret();

  void* root() const { return root_; }
  // The root is in other hands now.
  void Release() { root_ = nullptr; }
  const TypeOps& type() const { return type_; }
  Survey& survey() { return survey_; }
  const std::vector<Expected>& expected() const { return expected_; }
  // Paths of sound closures of which the strict level may think otherwise (rule V4).
  const std::vector<std::string>& doubtful() const { return doubtful_; }
  bool has_structural_plants() const { return structural_ != 0; }
  bool foreign_blocks() const { return foreign_blocks_; }
  const PlantCounts& counts() const { return counts_; }

 private:
  struct Moved {
    void* place;
    const PlaceOps* ops;
    void* old;
  };

  void Look();
  bool Inside(const std::vector<std::size_t>& chosen, std::size_t place) const;
  bool PlantStructure(std::size_t place);
  bool PlantOwner(const Place& place);
  bool PlantShared(const Place& place);
  bool PlantForeign(const Place& place);
  void SettleShared();
  void PointAtSound(const Place& place);
  bool PointAtStray(const Place& place);
  bool Aim(Region region, const Place& place);

  Worker& worker_;
  const TypeOps& type_;
  Choices& random_;
  const Options options_;
  void* root_ = nullptr;
  Survey& survey_;
  Survey::Planted planted_;
  std::vector<Expected> expected_;
  std::vector<std::string> doubtful_;
  std::vector<Moved> moved_;
  std::vector<Place> arenas_;
  std::vector<std::shared_ptr<const void>> held_;
  std::vector<std::weak_ptr<const void>> observed_;
  std::vector<const void*> held_objects_;
  std::vector<const void*> observed_objects_;
  std::size_t structural_ = 0;
  bool foreign_blocks_ = false;
  PlantCounts counts_;
};

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_GRAPH_H_
