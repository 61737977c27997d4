package gateway

import "hash/fnv"

// Partitions is the number of partitions over which both logs spread by application and person. It
// is fixed for the life of a database: a lease row and a cursor row exist for each.
const Partitions = 64

// Unplaced is the partition of events that belong to no person of a known application. Like the
// others it is leased by one node at a time.
const Unplaced = Partitions

// Partition returns the partition of a conversation. An empty application or person gives Unplaced.
func Partition(application, person string) int {
	if application == "" || person == "" {
		return Unplaced
	}
	h := fnv.New32a()
	h.Write([]byte(application))
	h.Write([]byte{0})
	h.Write([]byte(person))
	return int(h.Sum32() % Partitions)
}
