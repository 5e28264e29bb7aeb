package index

import (
	"bytes"
	"cmp"
	"strconv"
	"strings"

	"coverd/geo"
)

// eventKind says what an event is about.
type eventKind uint8

const (
	eventPremises eventKind = iota // told where the premises is now, or was
	eventAway                      // a premises that is now at another postcode, told at the one it has left
	eventPostcode
	eventKinds
)

// event is one premises or postcode in which two snapshots differ: what Diff
// finds, what a journal keeps, and what changes are told from.
type event struct {
	kind     eventKind
	uprn     geo.UPRN
	old, now site
	outcome  *outcome // of premises
	was, is  Entry    // of a postcode
	had, has bool     // whether the register holds it
}

// site is where a premises is, as one of the snapshots has it.
type site struct {
	postcode geo.Postcode
	address  []byte // shared
	at       geo.Location
}

// shown is the site that the event is told at.
func (e *event) shown() *site {
	if e.kind == eventAway || e.kind == eventPremises && e.outcome.after == nil {
		return &e.old
	}
	return &e.now
}

// compare orders the events of a postcode.
func (e *event) compare(f *event) int {
	if e.kind != f.kind && (e.kind == eventPostcode || f.kind == eventPostcode) {
		return cmp.Compare(b2i(f.kind == eventPostcode), b2i(e.kind == eventPostcode))
	}
	x, y := e.shown(), f.shown()
	return cmp.Or(cmp.Compare(e.uprn, f.uprn), bytes.Compare(x.address, y.address), x.at.Compare(y.at))
}

// appendChanges appends what there is to tell of the event, in order.
func (e *event) appendChanges(dst []Change) []Change {
	if e.kind == eventPostcode {
		return e.appendPostcode(dst)
	}
	at := e.shown()
	like := Change{Postcode: at.postcode, UPRN: e.uprn, Address: string(at.address)}
	details := func() {
		if before, after, differ := e.details(); differ {
			c := like
			c.Kind, c.Before, c.After = DetailsChanged, before, after
			dst = append(dst, c)
		}
	}
	if e.kind == eventAway {
		details()
		return dst
	}
	both, told := e.outcome.before != nil && e.outcome.after != nil, false
	for _, c := range e.outcome.changes {
		if both && !told && c.Network != NoNetwork {
			details() // after the others of the premises, before those of its claims
			told = true
		}
		c.Postcode, c.UPRN, c.Address = like.Postcode, like.UPRN, like.Address
		dst = append(dst, c)
	}
	if both && !told {
		details()
	}
	return dst
}

// details tells what differs of where the premises is.
func (e *event) details() (before, after string, differ bool) {
	var was, is []string
	add := func(name, b, a string) {
		was, is = append(was, labelled(name, b)), append(is, labelled(name, a))
	}
	if e.old.postcode != e.now.postcode {
		add("postcode", e.old.postcode.String(), e.now.postcode.String())
	}
	if e.old.at != e.now.at {
		add("location", locationText(e.old.at), locationText(e.now.at))
	}
	if !bytes.Equal(e.old.address, e.now.address) {
		add("address_identifier", string(e.old.address), string(e.now.address))
	}
	return strings.Join(was, "; "), strings.Join(is, "; "), len(was) > 0
}

// locationText is a location as `51.245310,-0.582190`, or nothing.
func locationText(l geo.Location) string {
	if !l.IsValid() {
		return ""
	}
	b := strconv.AppendFloat(nil, float64(l.Lat)/1e6, 'f', 6, 64)
	return string(strconv.AppendFloat(append(b, ','), float64(l.Lng)/1e6, 'f', 6, 64))
}

// movedFrom is how far a postcode must move to be told, in metres.
const movedFrom = 100

// registerStatus is what the register says of a postcode that it may lack.
func registerStatus(e *Entry, held bool) RegisterStatus {
	if !held {
		return NotInRegister
	}
	return e.Status()
}

// differs reports whether there is anything to tell of a postcode.
func (e *event) differs() bool { return len(e.appendPostcode(nil)) > 0 }

func (e *event) appendPostcode(dst []Change) []Change {
	like := Change{Postcode: e.now.postcode}
	was, is := registerStatus(&e.was, e.had), registerStatus(&e.is, e.has)
	if was != is {
		c := like
		switch {
		case is != Live:
			c.Kind = PostcodeTerminated
		case was == NotInRegister:
			c.Kind = PostcodeNew
		default:
			c.Kind = PostcodeRestored
		}
		c.Before, c.After = statusText(&e.was, e.had), statusText(&e.is, e.has)
		dst = append(dst, c)
	}
	if e.had && e.has && e.was.At != e.is.At {
		if !e.was.At.IsValid() || !e.is.At.IsValid() || geo.Distance(e.was.At.LatLng(), e.is.At.LatLng()) > movedFrom {
			c := like
			c.Kind, c.Before, c.After = PostcodeMoved, locationText(e.was.At), locationText(e.is.At)
			dst = append(dst, c)
		}
	}
	return dst
}

// statusText is the status of a postcode, and when it was terminated.
func statusText(e *Entry, held bool) string {
	b := registerStatus(e, held).String()
	switch {
	case !held:
	case e.Terminated != 0:
		b += " " + e.Terminated.String()
	case e.TerminatedBy != 0 && e.TerminatedAfter != 0:
		b += " between " + e.TerminatedAfter.String() + " and " + e.TerminatedBy.String()
	case e.TerminatedBy != 0:
		b += " by " + e.TerminatedBy.String()
	}
	return b
}
