// The channel of a Timer, a Ticker or After: ChanFlavor::kTimer, capacity 1.
//
// One tick is kept for whoever comes; another that falls due meanwhile is dropped. To its users it
// looks unbuffered: Len() and Cap() are 0. Stop and Reset drop the tick under the channel's lock,
// so none that was sent before is received after them.
//
// The timer counts as a sender: it holds a SendChan, no more, so that what can receive is known.
//
//     auto chan = internal::ChanAccess::Make<Chan<absl::Time>>(1, name, site, ChanFlavor::kTimer);

#ifndef LEASH_CHAN_TIMER_CHAN_H_
#define LEASH_CHAN_TIMER_CHAN_H_

namespace leash::rt {

struct ChanCore;

// Sends `*value`, of the element's type, which is moved from. False: the tick before it is still
// there. Never blocks; to be called by the timer's function. REQUIRES: not closed.
bool TimerSend(ChanCore* chan, void* value);

// Drops the tick that nobody has received yet; whether there was one.
bool ClearBuffer(ChanCore* chan);

// Somebody waits to receive at this moment: a tick would wake it.
bool HasReceivers(const ChanCore* chan);

}  // namespace leash::rt

#endif  // LEASH_CHAN_TIMER_CHAN_H_
