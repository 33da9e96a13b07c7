//! Limits the cost of reading a file. A few bytes can claim to decode to gigabytes, and the Parquet library trusts
//! them, so every size is checked against the limits of an export before it is decoded.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use super::import_error::ImportError;
use super::{GROUP, unreadable};
use crate::exchange::ExchangeError;

/// Maximum size of the metadata in bytes: three times the two kilobytes per job of the largest experiment, 10,000 jobs.
const MOST_METADATA: u64 = 64 << 20;
/// Maximum compressed size of a column chunk, in bytes.
const MOST_COLUMN: i64 = 8 << 20;
/// Maximum decompressed size of a page, in bytes. The writer ends a page after one megabyte.
const MOST_PAGE: u64 = 4 << 20;
/// Binary logarithm of the maximum window of the decompression, in bytes.
const LARGEST_WINDOW: u32 = 22;
/// Maximum number of points of an import.
const MOST_POINTS: u64 = 100_000_000;

/// Reads the metadata and checks that its sizes are plausible for an export.
pub(super) fn metadata(file: &File) -> std::result::Result<ParquetMetaData, ExchangeError> {
    let claimed = claimed_metadata(file).map_err(ExchangeError::Io)?;
    if claimed > MOST_METADATA {
        return Err(ExchangeError::refused(format!(
            "the file has {claimed} bytes of metadata, and an export has at most {MOST_METADATA}"
        )));
    }
    let metadata = ParquetMetaDataReader::new().parse_and_finish(file).map_err(unreadable)?;
    check_groups(&metadata)?;
    Ok(metadata)
}

/// The size of the metadata that the end of the file claims, in bytes; 0 if it is not the end of a Parquet file.
fn claimed_metadata(mut file: &File) -> io::Result<u64> {
    let mut end = [0; 8];
    if file.metadata()?.len() >= end.len() as u64 {
        file.seek(SeekFrom::End(-(end.len() as i64)))?;
        file.read_exact(&mut end)?;
    }
    let [a, b, c, d, magic @ ..] = end;
    Ok(if magic == *b"PAR1" { u32::from_le_bytes([a, b, c, d]).into() } else { 0 })
}

/// Checks that every group except the last one is full, and that no column chunk exceeds its limit.
fn check_groups(metadata: &ParquetMetaData) -> std::result::Result<(), ImportError> {
    let rows = u64::try_from(metadata.file_metadata().num_rows())
        .map_err(|_| "the file has a negative number of rows")?;
    if rows > MOST_POINTS {
        return Err(ImportError(format!(
            "the file has {rows} points, and an import may have at most {MOST_POINTS}"
        )));
    }
    let sizes = (0..rows).step_by(GROUP).map(|first| (rows - first).min(GROUP as u64) as i64);
    if !metadata.row_groups().iter().map(RowGroupMetaData::num_rows).eq(sizes) {
        return Err(ImportError(format!(
            "the groups of the file are not those of an export of {rows} points"
        )));
    }
    let columns = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
    let fits = |column: &ColumnChunkMetaData| {
        matches!(column.compression(), Compression::ZSTD(_))
            && column.data_page_offset() >= 0
            && column.dictionary_page_offset().is_none_or(|offset| offset >= 0)
            && (0..=MOST_COLUMN).contains(&column.compressed_size())
    };
    match columns.into_iter().find(|column| !fits(column)) {
        Some(column) => {
            let name = column.column_descr().name();
            Err(ImportError(format!(
                "a column `{name}` is larger than that of an export, or is compressed otherwise"
            )))
        }
        None => Ok(()),
    }
}

/// The pages of a column.
pub(super) fn pages(
    file: &Arc<Pages>,
    group: &RowGroupMetaData,
    column: usize,
) -> Result<Box<dyn PageReader>> {
    let reader =
        SerializedPageReader::new(file.clone(), group.column(column), group.num_rows() as usize, None)?;
    Ok(Box::new(Bounded(reader)))
}

/// A file whose pages are checked as they are read.
pub(super) struct Pages(pub(super) File);

impl Length for Pages {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for Pages {
    type T = <File as ChunkReader>::T;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        self.0.get_read(start)
    }

    /// A compressed page. It is first decompressed without keeping the result, to check its size.
    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let bytes = self.0.get_bytes(start, length)?;
        let mut decoder = zstd::Decoder::with_buffer(&bytes[..])?;
        decoder.window_log_max(LARGEST_WINDOW)?;
        if io::copy(&mut decoder.take(MOST_PAGE + 1), &mut io::sink())? > MOST_PAGE {
            return Err(implausible(format!("a page has more than {MOST_PAGE} bytes")));
        }
        Ok(bytes)
    }
}

/// Passes on only pages with the encodings and sizes of an export.
struct Bounded(SerializedPageReader<Pages>);

impl Iterator for Bounded {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Bounded {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.0.get_next_page()?;
        if let Some(page) = &page {
            let known = matches!(
                page.encoding(),
                Encoding::PLAIN | Encoding::RLE_DICTIONARY | Encoding::DELTA_BINARY_PACKED
            );
            if !known || page.num_values() as usize > GROUP {
                return Err(implausible(
                    "a page has another encoding or more values than one of an export".to_owned(),
                ));
            }
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.0.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.0.skip_next_page()
    }
}

fn implausible(what: String) -> ParquetError {
    ParquetError::General(what)
}
