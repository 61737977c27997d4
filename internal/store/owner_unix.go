//go:build unix

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// ownerOf returns the owner of a file, or of its folder while there is no file.
func ownerOf(path string) (id int, of string, ok bool) {
	for _, of := range []string{path, filepath.Dir(path)} {
		info, err := os.Stat(of)
		if err != nil {
			continue
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			return int(stat.Uid), of, true
		}
	}
	return 0, "", false
}

// userName is how a user is called, or their number.
func userName(id int) string {
	if u, err := user.LookupId(strconv.Itoa(id)); err == nil {
		return u.Username
	}
	return strconv.Itoa(id)
}

// strangeOwner says that root would make files where another user has to open them; "" when not.
func strangeOwner(path string) string {
	id, of, ok := ownerOf(path)
	if !ok || id == 0 || os.Geteuid() != 0 {
		return ""
	}
	return fmt.Sprintf("%s belongs to user %s, who could not open what root makes there: run this as that user, as with sudo -u %s", of, userName(id), userName(id))
}

// explainOwner adds to an error of permission whose the file is.
func explainOwner(path string, err error) error {
	id, of, ok := ownerOf(path)
	if !errors.Is(err, fs.ErrPermission) || !ok || id == os.Geteuid() {
		return err
	}
	me := userName(os.Geteuid())
	return fmt.Errorf("%w: %s belongs to user %s, and this runs as %s; chown -R %s %s gives it over", err, of, userName(id), me, me, filepath.Dir(path))
}
