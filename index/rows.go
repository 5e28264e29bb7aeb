package index

import (
	"context"
	"math"
	"sync"

	"coverd/geo"
)

// row is a Row as a Builder keeps it, in 32 bytes. Once a bucket is resolved
// its first rows are its premises instead: file and line give way to the
// Region, its basis and the conflict, the claim to the claim set.
type row struct {
	key      uint64 // UPRN<<24 | file
	at       geo.Location
	postcode geo.Postcode
	address  uint32 // AddressID; of premises its rank
	claim    uint32 // ClaimID; of premises the code of their claim set
	line     uint32 // of premises flags
}

// MaxFiles is how many files rows may come from: their numbers have 24 bits,
// beside the 40 bits of a UPRN.
const MaxFiles = 1 << 24

func (r *row) uprn() geo.UPRN { return geo.UPRN(r.key >> 24) }

// rowStore keeps rows, and then the premises they are of.
//
// Why buckets: all rows of a premises must come together. Sorting 49.8 million
// of them by UPRN took 11 s of processor time and, with the copy to be sorted
// and the premises beside it, 5 GB. Instead each row goes to a bucket that its
// identity decides, as it arrives; a bucket of some 200,000 rows is grouped
// with a hash table that fits the cache, 1 s for all, and its premises are
// written over its own rows, so that nothing is held twice: 1.6 GB. To sort each
// bucket would take 5 s; premises beside their rows, a gigabyte more.
//
// Which bucket is up to the UPRN without its last twelve bits: neighbours on
// the ground mostly have UPRNs near each other, and what they need is then in
// the cache for all of them. The number of buckets is fixed, so that nothing
// depends on the machine.
type rowStore struct {
	withUPRN [buckets]bucket
	without  [buckets]bucket // by postcode, where there is an address too, else by location
}

const (
	bucketBits = 8
	buckets    = 1 << bucketBits
	chunkBits  = 11
	chunkRows  = 1 << chunkBits // 64 KB: half a chunk a bucket stays empty, 16 MB in all
)

// bucket is a list of rows in chunks, so that it grows without being copied.
type bucket struct {
	mu     sync.Mutex
	chunks [][]row // all but the last of chunkRows
	n      int
	worker int      // the one that made its premises
	sets   []uint32 // that one's final codes of claim sets
}

func (b *bucket) at(i int) *row { return &b.chunks[i>>chunkBits][i&(chunkRows-1)] }

// add appends a row. It needs the lock.
func (b *bucket) add(r row) {
	last := len(b.chunks) - 1
	if b.n&(chunkRows-1) == 0 {
		capacity := chunkRows
		if last < 0 {
			capacity = 16 // small builds stay small
		}
		b.chunks = append(b.chunks, make([]row, 0, capacity))
		last++
	}
	b.chunks[last] = append(b.chunks[last], r)
	b.n++
}

// cut drops all rows from n on.
func (b *bucket) cut(n int) {
	keep := (n + chunkRows - 1) >> chunkBits
	clear(b.chunks[keep:])
	b.chunks = b.chunks[:keep]
	if keep > 0 {
		b.chunks[keep-1] = b.chunks[keep-1][:n-(keep-1)<<chunkBits]
	}
	b.n = n
}

// all yields the rows. Those that have been yielded may be written over.
func (b *bucket) all(yield func(*row) bool) {
	for _, chunk := range b.chunks {
		for i := range chunk {
			if !yield(&chunk[i]) {
				return
			}
		}
	}
}

// each calls f with every bucket, on several goroutines at once, and with the
// number of the goroutine. It ends early when ctx does.
func (s *rowStore) each(ctx context.Context, workers int, f func(worker int, b *bucket)) error {
	next := make(chan *bucket)
	var wg sync.WaitGroup
	for k := range workers {
		wg.Go(func() {
			for b := range next {
				f(k, b)
			}
		})
	}
	for b := range s.all {
		if ctx.Err() != nil {
			break
		}
		next <- b
	}
	close(next)
	wg.Wait()
	return ctx.Err()
}

// all yields the buckets.
func (s *rowStore) all(yield func(*bucket) bool) {
	for _, half := range []*[buckets]bucket{&s.withUPRN, &s.without} {
		for i := range half {
			if !yield(&half[i]) {
				return
			}
		}
	}
}

// len counts the rows, or the premises.
func (s *rowStore) len() (n int) {
	for b := range s.all {
		n += b.n
	}
	return n
}

// mix spreads the bits of a number over the upper ones.
func mix(v uint64) uint64 { return v * 0x9E3779B97F4A7C15 }

// bucket returns the bucket of a row.
func (s *rowStore) bucket(u geo.UPRN, p geo.Postcode, address AddressID, at geo.Location) *bucket {
	const shift = 64 - bucketBits
	switch {
	case u != 0:
		return &s.withUPRN[mix(uint64(u>>12))>>shift]
	case p.IsValid() && address != 0:
		return &s.without[mix(uint64(p.Ordinal()))>>shift]
	}
	return &s.without[mix(uint64(uint32(at.Lat))<<32|uint64(uint32(at.Lng)))>>shift]
}

// add takes rows.
func (s *rowStore) add(rows []Row) {
	var held *bucket
	for i := range rows {
		r := &rows[i]
		if b := s.bucket(r.UPRN, r.Postcode, r.Address, r.At); b != held {
			if held != nil {
				held.mu.Unlock()
			}
			b.mu.Lock()
			held = b
		}
		held.add(row{
			key: uint64(r.UPRN)<<24 | uint64(r.File), at: r.At, postcode: r.Postcode,
			address: uint32(r.Address), claim: uint32(r.Claim), line: r.Line,
		})
	}
	if held != nil {
		held.mu.Unlock()
	}
}

// grouper finds the rows of a bucket that belong together. Its memory is used
// for one bucket after the other.
type grouper struct {
	slots []uint32 // hash table: a group's first row, plus 1
	next  []uint32 // by row: the next of its group, plus 1
	heads []uint32 // first rows, ascending
}

// group fills heads and next. same tells whether two rows belong together, and
// hash is equal where they do; hashes that differ in the lowest four bits alone
// share a cache line.
func (g *grouper) group(b *bucket, hash func(*row) uint64, same func(x, y *row) bool) {
	if b.n > math.MaxUint32/4 {
		panic("index: a billion rows in one bucket")
	}
	size := 1 << 8
	for size < 2*b.n {
		size *= 2
	}
	if cap(g.slots) < size {
		g.slots = make([]uint32, size)
	}
	g.slots = g.slots[:size]
	clear(g.slots)
	if cap(g.next) < b.n {
		g.next, g.heads = make([]uint32, b.n+b.n/4), make([]uint32, 0, b.n+b.n/4)
	}
	g.next, g.heads = g.next[:b.n], g.heads[:0]
	i, mask := uint32(0), uint64(size-1)
	for _, chunk := range b.chunks {
		for k := range chunk {
			r := &chunk[k]
			for h := hash(r); ; h++ {
				slot := &g.slots[h&mask]
				if *slot == 0 {
					*slot = i + 1
					g.next[i] = 0
					g.heads = append(g.heads, i)
					break
				}
				if first := *slot - 1; same(r, b.at(int(first))) {
					g.next[i], g.next[first] = g.next[first], i+1
					break
				}
			}
			i++
		}
	}
}

// hashUPRN keeps sixteen neighbours together.
func hashUPRN(r *row) uint64 { return mix(r.key>>28)>>20&^15 | r.key>>24&15 }

func sameUPRN(x, y *row) bool { return x.key>>24 == y.key>>24 }
