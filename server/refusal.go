package server

import (
	"errors"
	"io/fs"
	"time"

	"coverd/index"
	"coverd/index/generations"
)

// refusal is a candidate that is not served, and why.
type refusal struct {
	offer    Offer
	reason   string // one of reasons
	err      error
	since    time.Time // it was first refused
	attempts int       // to open a file of its name, in vain
	retry    time.Time // not looked at again before
}

// Reasons to refuse a candidate, as metrics call them.
const (
	reasonNoActive   = "no_active"  // the directory has no active generation
	reasonPointer    = "pointer"    // it is not known which one is
	reasonMissing    = "missing"    // there is no such file
	reasonDamaged    = "damaged"    // it is not what a build wrote
	reasonVersion    = "version"    // another version of the format
	reasonMisnamed   = "misnamed"   // whole, but not the generation whose name it has
	reasonUnreadable = "unreadable" // the system says no
	reasonDefect     = "defect"     // a panic
)

var reasons = []string{reasonNoActive, reasonPointer, reasonMissing, reasonDamaged, reasonVersion, reasonMisnamed, reasonUnreadable, reasonDefect}

func reasonFor(err error) string {
	switch {
	case errors.Is(err, generations.ErrNoActive):
		return reasonNoActive
	case errors.Is(err, generations.ErrPointer):
		return reasonPointer
	case errors.Is(err, fs.ErrNotExist):
		return reasonMissing
	case errors.Is(err, index.ErrVersion):
		return reasonVersion
	case errors.Is(err, index.ErrCorrupt), errors.Is(err, index.ErrNotSnapshot):
		return reasonDamaged
	case errors.Is(err, errMisnamed):
		return reasonMisnamed
	case errors.Is(err, errDefect):
		return reasonDefect
	}
	return reasonUnreadable
}

// Bounds of the time after which a candidate is looked at again whose file has
// changed, or may be readable by now. It doubles from one attempt to the next:
// to read 300 MB a second for nothing would help nobody.
const (
	retryLeast = time.Second
	retryMost  = 5 * time.Minute
)

// refusalAfter is the refusal of an offer at a time, following before, which may
// be nil.
func refusalAfter(before *refusal, offer Offer, err error, now time.Time) *refusal {
	r := &refusal{offer: offer, reason: reasonFor(err), err: err, since: now, attempts: 1}
	pause := retryLeast
	if before != nil && before.offer.Path == offer.Path {
		r.attempts = before.attempts + 1
		pause = min(retryLeast<<min(before.attempts, 16), retryMost)
		if before.offer.same(&offer) && before.reason == r.reason {
			r.since = before.since
		}
	}
	r.retry = now.Add(pause)
	return r
}

// holds reports whether an offer is not worth another look yet.
func (r *refusal) holds(offer *Offer, now time.Time) bool {
	if r == nil || r.offer.Path != offer.Path {
		return false
	}
	lasting := r.reason != reasonMissing && r.reason != reasonUnreadable
	return lasting && r.offer.same(offer) || now.Before(r.retry)
}
