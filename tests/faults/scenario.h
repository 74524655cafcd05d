// Programs that go on after errors, for tests that plant some. For a simulation, or RunMain.

#ifndef ISOLATES_TESTS_FAULTS_SCENARIO_H_
#define ISOLATES_TESTS_FAULTS_SCENARIO_H_

#include <chrono>

#include "isolates/isolates.h"

namespace isolates {

using Step = Task<> (*)();

// How long is waited for what may be lost with an isolate that ends; futures are waited for without
// a limit. In a simulation it is over at once. Set while no scenario runs.
inline Duration patience = std::chrono::seconds(1);

// Letters both ways: with listeners, listening coroutines, receivers, selects, Exit; to ports that
// close meanwhile. No other message is sent to ports.
Task<> ExchangeLetters();

// Some of everything that the library has.
Task<> UseEverything();

}  // namespace isolates

#endif  // ISOLATES_TESTS_FAULTS_SCENARIO_H_
