package channel

// Connection says whether an account that keeps a connection has it.
type Connection struct {
	Account   string
	Channel   string
	Connected bool
}

// Connections says for each active account that keeps a connection, as one at an SMS centre does,
// whether this node has it.
func (m *Manager) Connections() []Connection {
	var all []Connection
	for _, e := range m.current.Load().entries {
		if e.work == nil {
			continue
		}
		if connected, keeps := e.work.Connected(); keeps {
			all = append(all, Connection{e.account.ID, e.account.Channel, connected})
		}
	}
	return all
}
