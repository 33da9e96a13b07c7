//! ARCHITECTURE.md against the code: its map lists every folder, modules import what it allows, and the files and tests
//! that it names exist.

mod map;
mod imports;
mod references;
