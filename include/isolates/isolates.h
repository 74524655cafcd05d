// Everything of the library: isolates, ports, futures, parcels and the runtime behind them.

#ifndef ISOLATES_ISOLATES_H_
#define ISOLATES_ISOLATES_H_

#include "isolates/audit.h"
#include "isolates/capability.h"
#include "isolates/clock.h"
#include "isolates/error.h"
#include "isolates/exit_info.h"
#include "isolates/frozen.h"
#include "isolates/future.h"
#include "isolates/heap.h"
#include "isolates/isolate.h"
#include "isolates/isolate_local.h"
#include "isolates/make_parcel.h"
#include "isolates/parcel.h"
#include "isolates/port.h"
#include "isolates/receipt.h"
#include "isolates/runtime.h"
#include "isolates/send_after.h"
#include "isolates/send_to_all.h"
#include "isolates/stop_token.h"
#include "isolates/stream.h"
#include "isolates/supervisor.h"
#include "isolates/task.h"
#include "isolates/timer.h"
#include "isolates/transfer.h"
#include "isolates/transferable_typed_data.h"
#include "isolates/unhandled_error.h"
#include "isolates/when_any.h"
#include "isolates/within.h"

#endif  // ISOLATES_ISOLATES_H_
