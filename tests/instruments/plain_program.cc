// Something of everything that instruments look at.

#include "isolates/isolates.h"

int main() {
  return isolates::Isolate::Run([] { return 7; }).Get() == 7 ? 0 : 1;
}
