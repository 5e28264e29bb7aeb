//go:build !linux

package server

// outOfTheWay does something long. Here threads have no priority of their own.
func outOfTheWay(work func()) { work() }
