package index

import (
	"errors"
	"sync/atomic"
)

// budget bounds the memory and the work of opening: what is made of the
// sections may take as much as all of them unpacked, and spareBytes more, and
// summaries may look at some claims for each of their bytes.
//
// # Why
//
// Few bytes can stand for much: a vertex takes two and becomes seventy, a claim
// eleven and two hundred, and one long claim set that every sector has would
// make summaries of a terabyte. Sections unpack to at most the file and maxSlack
// more, so that opening takes no more than twice the file and 256 MiB. (A sound
// national one of 312 MB takes some 90 MB beside itself, most of it for boundaries
// and areas, whose number does not grow with the premises.) A builder reads what
// it has made by the same rule, and so never writes what no reader opens.
type budget struct{ bytes, claims atomic.Int64 }

const (
	spareBytes  = 128 << 20
	countedMost = 16 // claims that summaries look at, a byte of all sections
)

var errBudget = errors.New("it would take more memory than a sound file of this size does")

// grant starts a budget for sections of so many bytes in all.
func (b *budget) grant(unpacked int64) {
	b.bytes.Store(unpacked + spareBytes)
	b.claims.Store(countedMost * unpacked)
}

// take counts n things of so many bytes each.
func (b *budget) take(n, each int) error {
	// Numbers of things are below 2⁴⁰ and sizes below 2¹⁰.
	if b.bytes.Add(-int64(n)*int64(each)) < 0 {
		return errBudget
	}
	return nil
}

// count takes claims that a summary looks at.
func (b *budget) count(claims int) error {
	if b.claims.Add(-int64(claims)) < 0 {
		return errors.New("summaries of more claims than in a sound file of this size")
	}
	return b.take(0, 0) // nothing more is begun once the memory is used up
}

// What things take once they are read, in bytes, rounded up: with their share of
// the lists, maps and trees that hold them.
const (
	claimBytes   = 256 // Claim, claimFacts, the roundings of its five texts, its date in words
	vertexBytes  = 32  // of a mesh: two degrees as they are read, and side by side
	polygonBytes = 256 // geo.Slabs, its rectangle in a tree, its places in lists
	runBytes     = 256 // run, and its rectangle in two trees
	placeBytes   = 768 // outcodeRow or sectorRow, and the halves of lists that grow
	turnBytes    = 128 // turn, and its place in a map until it is in the list
	countBytes   = 64  // Count, likewise
	objectBytes  = 512 // Source, or another object of JSON, in lists that grow
)
