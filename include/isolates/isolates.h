// Everything of the library: isolates, ports, parcels and the runtime behind them.
#ifndef ISOLATES_ISOLATES_H_
#define ISOLATES_ISOLATES_H_

#endif  // ISOLATES_ISOLATES_H_
