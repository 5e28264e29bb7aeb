package requests

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/klauspost/compress/zstd"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// SQLite is the path of a ledger in an SQLite database. The file, and those that
// SQLite and the ledger keep beside it (-wal, -shm, -acknowledged), are made when
// it is opened.
type SQLite string

// String names the file.
func (p SQLite) String() string { return string(p) }

// sqliteLedger implements [Ledger].
type sqliteLedger struct {
	path    string
	db      *sql.DB // of one connection, the writer's
	readers *sql.DB
	seal    seal
	writer  *writer
	zip     *zstd.Encoder
	unzip   *zstd.Decoder
}

// maxReaders is how many questions are answered at a time; the others wait.
const maxReaders = 4

// maxBody bounds what an answer may unpack to, in bytes.
const maxBody = 1 << 20

// Open opens the ledger, having checked all that is in it. committed, unless nil,
// is told of each transaction. Errors are of type [Error].
func (p SQLite) Open(ctx context.Context, committed func(Commit)) (Ledger, error) {
	return p.openSyncing(ctx, committed, "FULL")
}

// openSyncing is Open; sync is FULL but in tests that lose no power.
func (p SQLite) openSyncing(ctx context.Context, committed func(Commit), sync string) (Ledger, error) {
	l, err := p.open(ctx, committed, sync)
	if err != nil {
		return nil, classify(fmt.Errorf("%s: %w", p, err))
	}
	return l, nil
}

func (p SQLite) open(ctx context.Context, committed func(Commit), sync string) (l *sqliteLedger, err error) {
	path, err := filepath.Abs(string(p))
	if err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return nil, err
	}
	if err := inspect(ctx, path); err != nil {
		return nil, err
	}
	l = &sqliteLedger{path: path}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.closeFiles())
			l = nil
		}
	}()
	if l.zip, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false)); err != nil {
		return l, err
	}
	if l.unzip, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBody)); err != nil {
		return l, err
	}
	if l.db, err = sql.Open("sqlite", source(path, "mode=rw", "_txlock=immediate", "_pragma=journal_mode(WAL)", "_pragma=synchronous("+sync+")",
		"_pragma=foreign_keys(ON)", "_pragma=cell_size_check(ON)")); err != nil {
		return l, err
	}
	l.db.SetMaxOpenConns(1)
	if err = migrate(ctx, l.db); err != nil {
		return l, err
	}
	if l.readers, err = sql.Open("sqlite", source(path, "mode=rw", "_pragma=query_only(ON)", "_pragma=cell_size_check(ON)")); err != nil {
		return l, err
	}
	l.readers.SetMaxOpenConns(maxReaders)
	l.readers.SetMaxIdleConns(maxReaders)
	if err = l.checkRows(ctx); err != nil {
		return l, err
	}
	transactions, err := marked(ctx, l.db)
	if err != nil {
		return l, err
	}
	if l.seal, err = openSeal(path); err != nil {
		return l, err
	}
	if err = l.seal.note(transactions); err != nil {
		return l, err
	}
	l.writer = startWriter(l, committed)
	return l, nil
}

// source is the name of a database for the driver. Whoever writes waits for
// another program for two seconds.
func source(path string, parameters ...string) string {
	var query strings.Builder
	query.WriteString("_pragma=busy_timeout(2000)")
	for _, p := range parameters {
		query.WriteString("&" + p)
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.String()}).String()
}

// create makes an empty file for a ledger that is new. One that was there is not
// made again.
func create(path string) error {
	noted, err := readSeal(path)
	if err != nil {
		return err
	}
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		if noted > 0 {
			return damaged("the file is gone, and had %d transactions that were acknowledged: put it back, or delete %s to begin anew", noted, sealPath(path))
		}
	case err != nil:
		return err
	case info.IsDir():
		return &Error{Failed, errors.New("it is a directory")}
	case info.Size() == 0:
		// SQLite would take it for new, and delete the log.
		if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
			return damaged("the file is empty, and its log %s-wal is not", path)
		}
		return nil
	default:
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // it names parties: it is nobody else's
	if err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
			return &Error{ReadOnly, err}
		}
		return err
	}
	return errors.Join(f.Sync(), f.Close(), syncDir(filepath.Dir(path)))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// inspect checks a file, its indexes and its log, without writing to either: SQLite would
// overwrite the rest of a log that it has found to end early.
func inspect(ctx context.Context, path string) (err error) {
	// First: another server may be writing, which notes what is there already.
	noted, err := readSeal(path)
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", source(path, "mode=ro", "_pragma=cell_size_check(ON)"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return damaged("SQLite finds it damaged: %s", verdict)
	}
	var tables int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'mark'").Scan(&tables); err != nil {
		return err
	}
	transactions := int64(0)
	if tables > 0 {
		if transactions, err = marked(ctx, db); err != nil {
			return err
		}
	}
	if noted > transactions {
		return damaged("it ends with transaction %d, and %d were acknowledged: the file or its log (-wal) was cut, altered, or put back from an older copy. "+
			"Restore a newer copy; or delete %s to go on without what is lost", transactions, noted, sealPath(path))
	}
	return nil
}

// marked is how many transactions there have been.
func marked(ctx context.Context, db *sql.DB) (n int64, err error) {
	err = db.QueryRowContext(ctx, "SELECT transactions FROM mark WHERE id = 1").Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		err = damaged("table mark is empty")
	}
	return n, err
}

// migrate brings the tables to what this version of the program wants.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > target {
		return &Error{Newer, fmt.Errorf("it has version %d of the tables, and this program knows up to %d: use the program that wrote it, or a later one", current, target)}
	}
	_, err = provider.Up(ctx)
	return err
}

// checkRows checks all rows, and that they belong together. It reads them as they
// are at one time: another server may be writing.
func (l *sqliteLedger) checkRows(ctx context.Context) (err error) {
	tx, err := l.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	answers := map[int64]int{}
	if err := each(ctx, tx, "SELECT "+requestColumns+" FROM request", func(s scanner) error {
		r, err := scanRequest(s)
		answers[r.ID] = r.Answers
		return err
	}); err != nil {
		return err
	}
	if err := each(ctx, tx, "SELECT "+answerColumns+", body FROM answer", func(s scanner) error {
		var packed []byte
		r, err := scanAnswer(s, &packed)
		answers[r.request]--
		if err == nil {
			err = checkPacked(packed)
		}
		return err
	}); err != nil {
		return err
	}
	for id, missing := range answers {
		if missing != 0 {
			return damaged("of the answers to request %d %d are missing", id, missing)
		}
	}
	return each(ctx, tx, "SELECT "+eventColumns+" FROM event", func(s scanner) error {
		_, err := scanEvent(s)
		return err
	})
}

// asked is a database, or a transaction in it.
type asked interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each calls f for each row of a result.
func each(ctx context.Context, db asked, query string, f func(scanner) error, args ...any) (err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Close waits for what is being written.
func (l *sqliteLedger) Close() error {
	l.writer.stop()
	return l.closeFiles()
}

func (l *sqliteLedger) closeFiles() (err error) {
	for _, db := range []*sql.DB{l.readers, l.db} {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if l.seal.f != nil {
		err = errors.Join(err, l.seal.close())
	}
	if l.unzip != nil {
		l.unzip.Close()
	}
	return err
}
