// Package loader turns what providers hand over into a snapshot: it reads a
// manifest, the Region boundaries, the postcode register and the CSPs'
// extracts, checks every row, quarantines the bad ones, and gives the rest to
// an [index.Builder].
//
//	m, err := loader.ReadManifest("coverd.toml")
//	…
//	res, err := loader.Build(ctx, m, loader.Options{Rejects: "rejects.csv"})
//	if _, refused := errors.AsType[*loader.RefusedError](err); refused {
//		res.Summary.WriteText(os.Stderr) // what, where, and how to go on
//	}
//	…
//	res.Built.WriteTo(file)
//
// EXTRACTS.md specifies the formats, the checks and the rules.
//
// It goes the other way too: [Export] writes a snapshot back as extracts that
// build the same content, [List] lists it for people and programs, [Annotate]
// appends what a snapshot knows to the rows of a table, and [Score] holds what
// snapshots said against what came of it.
//
// # Three ways to be bad
//
// A bad row is a [Reject]: it is quarantined with its file, line, column,
// reason and the row itself, and reading goes on. A bad file is a [FileError]:
// it is cut, or not what it claims to be, and none of its extract is believed;
// reading goes on with the next extract so that the report is whole. Either
// may end in a [RefusedError], when no snapshot is made. All other errors, such
// as a disk that cannot be read, are about this machine and not about the
// data.
//
// # Why one reader and many parsers
//
// A file is read, decompressed and cut into blocks of whole records by one
// goroutine; blocks are parsed side by side, and what comes of them is taken
// in the order of the file. So one large file keeps every core busy, and
// nothing that is reported depends on which core was faster. Rows go to the
// Builder in any order: it does not mind.
//
// # Why a CSV reader of its own
//
// encoding/csv cannot tell where in a file it may be cut, has no bound on the
// length of a record, and takes a quote that never closes for the rest of the
// file. [lexer] reads the same language (a fuzz test holds it to that), from
// blocks that the splitter has cut.
package loader
