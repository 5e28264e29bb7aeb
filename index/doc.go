// Package index holds what is known of SM WAN coverage, frozen: it builds a
// snapshot file from records, and answers from one. It knows nothing of
// providers, their files, or HTTP.
//
// # Basic usage
//
// [Open] reads and verifies a snapshot file; [OpenBytes] does so for one in
// memory, and [ReadInfo] reads no more than what a file says of itself. What the
// first two return, a [Snapshot], answers by key:
//
//	snap, err := index.Open("coverd.snap")
//	...
//	unit, ok := snap.Postcode(postcode) // status, Region, premises, summary
//	match := unit.MatchAddress(address) // its premises with an address identifier, and how sure that is
//	home, ok := snap.UPRN(uprn)         // one premises
//	town, ok := snap.Outcode(outcode)   // distribution; likewise Sector
//
// and by place:
//
//	at := snap.Locate(point)                            // Region, and how far another is
//	near = snap.Nearest(near[:0], point, 10, 500)       // premises within 500 m
//	areas = snap.AppendAreas(areas[:0], point)          // coverage areas around it
//	ok = snap.EstimateAt(&estimate, point, day)         // what to expect where no premises is known
//	snap.Survey(&around, point, 10, 500, day)           // the last three together, and postcodes
//
// Keys are values of package geo, parsed before they come here. The second
// result says whether the key is known: a miss is an answer, not an error.
// [Unit], [Premises], [Outcode], [Sector] and [ClaimSet] are small values that
// lead into the snapshot; ask them for what is wanted, or a postcode for the
// [Details] of all its premises.
//
// Nothing has a state as such: a [Claim] has one on a [Day], and so have a
// premises ([Premises.State]), the hub to fit ([ClaimSet.Fit]) and a count
// ([Unit.Summary], [Outcode.Distribution]). There is no clock in this package:
// the caller says which day is asked about.
//
// # Building
//
// A [Builder] takes facts in any order and from any number of goroutines, and
// freezes them:
//
//	b, err := index.NewBuilder(land, index.Options{AsOf: day, CSPs: csps})
//	b.AddPostcode(entry)                             // the register
//	err = b.AddArea(area)                            // coverage areas, in order
//	row.Claim, row.Address = b.Claim(claim), b.Address(text)
//	b.Add([]index.Row{row})                          // premises rows
//	built, err := b.Build(ctx)
//	_, err = built.WriteTo(file)
//
// Build decides which rows are the same premises and which contradict each
// other, allocates Regions, and lends premises the claims of the areas around
// them; [Report] counts what became of it all. The bytes written follow from
// the facts alone: neither the order of rows, nor the number of cores, nor the
// clock leaves a trace. FORMAT.md specifies them.
//
// # Changes
//
// [Diff] yields what has changed from one snapshot to another, and [CountChanges]
// counts it. A snapshot that was built on another (Options.Previous) remembers
// what changed that night, and what that one remembered of the nights before:
//
//	for cursor, change := range changes { … }    // of snap.Changes(since, cursor, outcode)
//	for _, night := range snap.Nights() { … }
//
// See [ChangeKind] for what is told.
//
// # History
//
// It remembers, too, what was said of each premises before it was said
// otherwise, for some 400 days. The day that is asked about and the day that the
// database is read on, the known day, are two things:
//
//	said, ok := home.Known(known)                    // said.Claims.State(day)
//	known, ok = home.IndicatedSince(day, from, today) // was there coverage on that day, at any time?
//	list = home.AppendHistory(list[:0], from, today)
//	gone, ok := snap.Departed(uprn)                   // one that there is no more
//
// # Thread safety
//
// A Snapshot never changes. It, and every value got from it, may be used from
// any number of goroutines without a lock; to move on to another snapshot, swap
// the pointer. What a caller hands in to be filled (a [Distribution], an
// [Estimate], a slice) is its own.
//
// # Memory
//
// A snapshot is its file, 10.4 bytes a premises at national scale: most of it is
// used where it lies, and what else is derived takes half a byte. [Open] reads
// the file, which may then be replaced or removed; [OpenBytes] keeps the slice it
// is given, which must not be modified. Look-ups allocate nothing: plural
// answers are appended to the caller's slice, and a Distribution, an
// Estimate or Surroundings reuse their own. Slices and pointers into the snapshot ([Premises.Address],
// claims) are shared and must not be modified; they keep it alive.
//
// A file cannot make the reader take much more than it states, nor state much
// more than its size: see the limits in FORMAT.md.
//
// # Errors
//
// Only opening, building and writing can fail. The errors of Open wrap
// [ErrNotSnapshot], [ErrVersion] or [ErrCorrupt], or are the file system's.
// A file that opens has been checked to the last byte, against accidents by its
// digest, and number by number so that no look-up can go astray, whoever made
// it. [Snapshot.SweepRegions] checks more, at leisure.
//
// # Why bits
//
// Thirty million premises as Go structs with strings would be several
// gigabytes for the garbage collector to walk. Instead every quantity takes just
// the bits it needs, found with an eight-byte load or two, and pointer-free.
// Neighbours have much in common, so premises are in blocks of 64, each with
// widths of its own: see locations and roster. Postcodes are records of equal
// bits, so that what is asked of one is in one cache line, and are found by a
// bitmap: see recordsOf and keyset. UPRNs are coded by runs: see planUPRNs.
// Claims repeat: a national snapshot has some thousands of distinct ones, and
// most premises share a few sets of them. The file counts sets by sector; since
// a set decides the state on any day, opening works out from that on which days
// the counts of a sector or an outcode turn, and a summary of any day is then a
// binary search.
//
// # Why Hilbert order
//
// Postcodes with premises are laid out along the S2 curve, and their premises
// behind each other. The premises of one postcode, asked for most, are then
// neighbours in memory, and so are those near a point: the same order serves
// both. In the order of postcodes Aberdeen (AB) lies beside St Albans (AL).
//
// # Why blocks for the nearest, and an R-tree for areas and borders
//
// Points in Hilbert order need no tree: the rectangles of their blocks, which
// are there anyway, and one around every 16 rectangles, and so on, find the
// nearest exactly: see nearby. The R-tree of package rtree would take 33 to 68
// bytes a point and longer to answer. Where the items are extended, overlap, and
// are few, it is the right tool: coverage areas, and the edges of Regions for
// distances to a border and off the coast.
//
// # Why S2 cells for Regions, and polygons for the truth
//
// The Region of a point inland is found by its S2 leaf cell in a sorted list of
// cell ranges, without looking at an edge. S2's own polygons are not used: their
// edges are geodesics, while those of GeoJSON are straight in longitude and
// latitude, up to a metre away. So in cells that a border crosses the edges
// decide, exactly; see [geo.Cover].
//
// # Why the file is read and not mapped
//
// A mapped file that is cut short or overwritten kills the process at the next
// look-up; a read one has been verified, and that is what answers. It takes the
// same memory, and can have large pages under it: see adviseHuge.
package index
