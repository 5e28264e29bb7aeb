package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// postgresServer is a PostgreSQL of ours with PostGIS, in a folder that goes
// with it. It listens on a socket in that folder alone, which is faster than
// TCP and nobody else's.
type postgresServer struct {
	*child
	dir string
}

// startPostgres makes a cluster, without any care for what a crash would leave,
// and starts it.
func startPostgres(ctx context.Context) (s *postgresServer, err error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "coverd-postgres")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	as, err := postgresUser(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := command(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, as
	if said, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(said))
	}
	args := []string{"-D", data}
	for _, setting := range []string{
		"listen_addresses=", "unix_socket_directories=" + dir, "fsync=off", "synchronous_commit=off", "full_page_writes=off", "jit=off",
		"shared_buffers=1GB", "maintenance_work_mem=512MB", "max_wal_size=8GB", "autovacuum=off",
	} {
		args = append(args, "-c", setting)
	}
	// At SIGTERM it would wait for its clients.
	c := &child{name: "PostgreSQL", addr: dir, end: syscall.SIGINT, cmd: command(ctx, filepath.Join(bin, "postgres"), args...)}
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(c.end) }
	c.cmd.Dir, c.cmd.SysProcAttr = dir, as
	log, err := c.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	ready := []byte("ready to accept connections")
	if err := c.start(log, nil, func(line []byte) bool { return bytes.Contains(line, ready) }); err != nil {
		return nil, err
	}
	return &postgresServer{child: c, dir: dir}, nil
}

func (s *postgresServer) stop() error { return errors.Join(s.child.stop(), os.RemoveAll(s.dir)) }

// connect opens a connection, which ends with the server at the latest.
func (s *postgresServer) connect(ctx context.Context) (*pgx.Conn, error) {
	return pgx.Connect(ctx, "user=postgres dbname=postgres host="+s.dir)
}

// postgresBin is where the newest installed PostgreSQL has its programs.
func postgresBin() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errNotInstalled
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return versionOf(a) - versionOf(b) })
	return filepath.Dir(newest), nil
}

// versionOf is the 15 of /usr/lib/postgresql/15/bin/initdb.
func versionOf(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// postgresUser is as whom PostgreSQL runs: it refuses to be root. The folder
// becomes that user's.
func postgresUser(dir string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("run as root, and there is no user postgres to run it as: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(strings.TrimSpace(u.Gid), 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(dir, int(uid), int(gid))
}
