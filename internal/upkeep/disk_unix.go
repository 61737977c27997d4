//go:build unix

package upkeep

import "golang.org/x/sys/unix"

// freeBytes is what is left for us on the disk of a folder.
func freeBytes(folder string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return 0, err
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil
}
