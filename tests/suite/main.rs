//! The tests of the running service: a real server on a free port with a fresh database, over real HTTP, each scenario
//! once on SQLite and once on PostgreSQL. One program, because linking it once is most of what it costs.

mod harness;

mod areas;
