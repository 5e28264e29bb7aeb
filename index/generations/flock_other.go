//go:build !unix || solaris || aix

package generations

import (
	"errors"
	"os"
)

func flock(*os.File) (taken bool, err error) {
	return false, errors.New("directories of generations are changed on Unix only, where the kernel has flock; elsewhere use --out")
}
