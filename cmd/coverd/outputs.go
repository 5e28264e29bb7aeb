package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"coverd/index"
	"coverd/loader"
)

// checkOutputs refuses to write over what the build reads, and over anything
// that is no snapshot: a slip in a path must not cost an extract.
func (o *buildOptions) checkOutputs(m *loader.Manifest) error {
	inputs := inputsOf(m)
	for flag, path := range map[string]string{"--out": o.out, "--rejects": o.rejects} {
		if path == "" {
			continue
		}
		for what, files := range inputs {
			for _, f := range files {
				if sameFile(path, f) {
					return usagef("%s %s: it is a file of %s, which would be lost; choose another", flag, path, what)
				}
			}
		}
	}
	if o.out != "" && o.rejects != "" && sameFile(o.out, o.rejects) {
		return usagef("--out and --rejects are both %s", o.out)
	}
	if o.rejects != "" && o.previous != "" && sameFile(o.rejects, o.previous) {
		return usagef("--rejects %s: it is the previous snapshot, which would be lost; choose another", o.rejects)
	}
	if o.out != "" && irregular(o.out) {
		return usagef("--out %s: it is no ordinary file, which a snapshot could take the place of", o.out)
	}
	if o.out != "" && !replaceable(o.out) {
		return usagef("--out %s: there is a file that is no snapshot; remove it, or choose another name", o.out)
	}
	return nil
}

// inputsOf are the files that a build reads, by what they are.
func inputsOf(m *loader.Manifest) map[string][]string {
	inputs := map[string][]string{"the manifest": {m.Path}}
	if m.Regions != "" {
		inputs["the Region boundaries"] = []string{m.Regions}
	}
	for _, r := range m.Registers {
		inputs["the register "+r.Pattern] = r.Files
	}
	for _, e := range m.Extracts {
		inputs["the extract "+e.Pattern] = append(inputs["the extract "+e.Pattern], e.Files...)
		inputs["the corrections of "+e.Pattern] = append(inputs["the corrections of "+e.Pattern], e.Corrections...)
	}
	return inputs
}

// sameFile reports whether two paths name one file, there or not.
func sameFile(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(x, y)
	}
	p, errA := filepath.Abs(a)
	q, errB := filepath.Abs(b)
	return errA == nil && errB == nil && p == q
}

// irregular reports whether there is something at a path that is no ordinary
// file: a device or a pipe, which must not be renamed over.
func irregular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular()
}

// replaceable reports whether a snapshot may be written to a path: nothing is
// there, or nothing in it, or a snapshot, be it damaged or of another version.
func replaceable(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	head := make([]byte, 64)
	n, err := io.ReadFull(f, head)
	if err = errors.Join(f.Close(), ignoreEnd(err)); err != nil {
		return false
	}
	_, err = index.OpenBytes(head[:n])
	return n == 0 || !errors.Is(err, index.ErrNotSnapshot)
}

// ignoreEnd makes nothing of a file's being short.
func ignoreEnd(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return fmt.Errorf("reading: %w", err)
}
