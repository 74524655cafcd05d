// Programs that go on after errors, for tests that plant some. For a simulation, or RunMain.

#ifndef ISOLATES_TESTS_FAULTS_SCENARIO_H_
#define ISOLATES_TESTS_FAULTS_SCENARIO_H_

#include "isolates/isolates.h"

namespace isolates {

using Step = Task<> (*)();

// Letters both ways: with listeners, listening coroutines, receivers, selects, Exit; to ports that
// close meanwhile. No other message is sent to ports.
Task<> ExchangeLetters();

// Some of everything that the library has.
Task<> UseEverything();

}  // namespace isolates

#endif  // ISOLATES_TESTS_FAULTS_SCENARIO_H_
