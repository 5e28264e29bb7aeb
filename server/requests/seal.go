package requests

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
)

// seal is the file that notes how many transactions have been acknowledged. It is
// not synced: see the package document.
type seal struct{ f *os.File }

// sealPath is where the note of a ledger is.
func sealPath(path string) string { return path + "-acknowledged" }

const sealFormat = "%020d %08x\n"

// readSeal reads the note; 0 where there is none, or none that can be read: then
// nothing is known of what was acknowledged.
func readSeal(path string) (transactions int64, err error) {
	b, err := os.ReadFile(sealPath(path))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var crc uint32
	if _, err := fmt.Sscanf(string(b), sealFormat, &transactions, &crc); err != nil || crc != sealSum(transactions) {
		return 0, nil
	}
	return transactions, nil
}

func sealSum(n int64) uint32 { return crc32.Checksum(fmt.Appendf(nil, "%020d", n), castagnoli) }

func openSeal(path string) (seal, error) {
	f, err := os.OpenFile(sealPath(path), os.O_WRONLY|os.O_CREATE, 0o600)
	return seal{f}, err
}

// note notes a number of transactions, in one write.
func (s seal) note(transactions int64) error {
	n, err := s.f.WriteAt(fmt.Appendf(nil, sealFormat, transactions, sealSum(transactions)), 0)
	if err == nil && n == 0 {
		err = io.ErrShortWrite
	}
	return err
}

func (s seal) close() error { return s.f.Close() }
