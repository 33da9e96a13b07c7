//! ARCHITECTURE.md against the code: its map lists every folder, modules import what it allows, the files and tests that
//! it names exist, and tensors are read in one module.

mod map;
mod imports;
mod reads;
mod references;
