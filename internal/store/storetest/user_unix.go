//go:build unix

package storetest

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// PostgreSQL refuses to run as root: then its programs run as somebody else.
func account() (uid, gid int, needed bool) {
	if os.Geteuid() != 0 {
		return 0, 0, false
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil {
			return uid, gid, true
		}
	}
	return 65534, 65534, true
}

func credential() *syscall.SysProcAttr {
	uid, gid, needed := account()
	if !needed {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), NoSetGroups: true}}
}

// unprivileged gives a folder to the account that the programs run as.
func unprivileged(folder string) error {
	uid, gid, needed := account()
	if !needed {
		return nil
	}
	if err := os.Chown(folder, uid, gid); err != nil {
		return fmt.Errorf("give %s to PostgreSQL: %w", folder, err)
	}
	return nil
}
