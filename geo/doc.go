// Package geo holds the pure values and geometry of Great Britain's
// smart-metering geography: postcodes, UPRNs, WGS84 positions, the National
// Grid (through OSTN15), Regions, polygons and their S2 coverings.
//
// Everything here is a value or a function of values: no I/O, no clock, no
// state that changes after a program has started. All of it is safe for
// concurrent use.
//
// # Reading
//
// Texts are parsed once, where they come in, from a string or from bytes,
// without allocation: [ParsePostcode], [ParseOutcode], [ParseSector],
// [ParseUPRN], [ParseDegrees], [ParseMetres], [ParseLatLng], [ParseGridRef].
// Letter case and spaces are forgiven, nothing else. What is refused is refused
// with a reason: a [PostcodeError] says where it went wrong, why, and what to do
// about it, and whether the code is malformed or real and out of area.
// [SuggestPostcode] and its sisters offer what may have been meant. Nobody but
// the person who asked ever takes up the offer.
//
// # Geometry
//
// [GridFromLatLng] and [Grid.LatLng] go between WGS84 and the National Grid,
// [Distance] and [SegmentDistance] measure on the ground. A [Polygon] contains a
// point or does not, exactly; [Cover] finds which of many shapes do, and
// [Slabs] whether one large polygon does, both with the same answer.
//
// # Conventions
//
// Latitude comes before longitude, always; E comes before N. Angles are
// degrees of WGS84 (taken as equal to ETRS89, as Ordnance Survey does),
// lengths are metres on the ground. The zero value of every parsed type
// ([Postcode], [Outcode], [Sector], [UPRN], [Location], [Region]) means
// "none" and is never the result of a successful parse.
//
// # Why edges are straight in longitude and latitude
//
// Boundaries arrive as GeoJSON, whose edges RFC 7946 §3.1.1 defines as
// straight lines in longitude and latitude. An 11 km geodesic between the same
// two vertices runs up to 1.3 m beside that line, which is more than enough to
// put a house in the wrong Region. So S2 is used for cells and their order
// alone; containment is always decided against the straight edge, exactly
// (see [Side]).
//
// # Why containment is exact
//
// Neighbouring Regions have their border in common, vertex by vertex. If the
// side of an edge were decided in plain floating point, a point within some
// 1e-14 degrees of the border could come out on neither side or on both, and
// the look-up by cells could differ from the test of all edges. The difference
// on the ground is nothing; but "always equal" can be tested, and "nearly
// always equal" cannot. The plain determinant decides wherever its own error
// bound lets it, which is nearly always, so exactness costs nothing (see
// [Side], which also says to whom a point on the border belongs).
//
// # Why cells have up to 16 edges
//
// A [Cover] splits cells until at most 16 edges are left in one. On the
// indicative Regions (249,517 vertices, 4.0 MB of them), measured with points
// spread evenly over the land and with points beside the border:
//
//	edges   cells with  columns    land   points in   border   most edges
//	a cell  edges                          edge cells           tested
//	    4   234,423     13.6 MB   147 ns      6.5 %   761 ns         4
//	    8   100,545      6.6 MB   145 ns     10.7 %   488 ns         8
//	   16    46,122      3.7 MB   145 ns     16.2 %   429 ns        16
//	   32    22,265      2.5 MB   142 ns     22.9 %   398 ns        32
//	   64    10,709      1.8 MB   148 ns     31.9 %   412 ns        64
//	  128     5,383      1.5 MB   220 ns     44.1 %   695 ns       128
//
// (Two cores of a shared machine; S2's number of a point's cell alone takes
// 58 ns there, the test of all edges 585 µs.) From 8 to 64 there is little to
// choose in time: fewer edges are paid for with more cells to search among. 16
// is where the columns are no larger than the vertices they index, and it leaves
// a factor of four to the most that any look-up may test, for shapes whose
// vertices crowd in a cell of the smallest size. That size is level 22, some
// 2 m: smaller cells would be finer than the edges.
//
// # Why a postcode has 29 bits
//
// The six shapes over their alphabets make 122,130 outcodes with 4,000 inward
// codes each. Only some 3,000 outcodes are in use, but which ones changes, and a
// number that stands for a text must not change with them. So [Postcode] counts
// over the grammar, and an index that wants smaller keys numbers the outcodes
// it holds.
package geo
