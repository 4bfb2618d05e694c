//! What an executable or a shared library needs in order to be loaded: its interpreter and its libraries.

use std::fs::File;
use std::os::unix::fs::FileExt;

use ::elf::ElfStream;
use ::elf::abi::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_STRSZ, DT_STRTAB, PT_INTERP, PT_LOAD};
use ::elf::dynamic::Dyn;
use ::elf::endian::AnyEndian;
use ::elf::segment::ProgramHeader;
use ::elf::string_table::StringTable;

/// The loader's part of an ELF file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elf {
    /// Absolute path of the program interpreter. None for a library and for a static executable.
    pub interpreter: Option<String>,
    /// Names of the libraries it loads, in the file's order; an entry with a slash is a path.
    pub needed: Vec<String>,
    /// Folders searched for them first; DT_RPATH where there is no DT_RUNPATH. `$ORIGIN` is not expanded.
    pub runpath: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A script, say: it loads nothing.
    #[error("not an ELF file")]
    NotElf,
    #[error("not a readable ELF file: {0}")]
    Parse(#[from] ::elf::ParseError),
    #[error("cannot read the ELF file: {0}")]
    Read(#[from] std::io::Error),
    #[error("not a readable ELF file: its {0} lies outside the file")]
    Outside(&'static str),
    #[error("not a readable ELF file: its interpreter is not a path in UTF-8")]
    Interpreter,
}

/// Reads interpreter, libraries and search path of an ELF file of either width and byte order. Only the tables are
/// read: an engine's binary is larger than this program may become.
///
/// # Errors
/// For anything that is not ELF, and for a file whose tables point outside it.
pub fn needed(file: &File) -> Result<Elf, Error> {
    let mut magic = [0; 4];
    if file.read_at(&mut magic, 0)? < magic.len() || magic != *b"\x7fELF" {
        return Err(Error::NotElf);
    }
    let mut stream = ElfStream::<AnyEndian, _>::open_stream(file)?;
    let interpreter = interpreter(&mut stream)?;
    let dynamic: Vec<Dyn> = stream.dynamic()?.map(|table| table.iter().collect()).unwrap_or_default();
    let value = |tag| dynamic.iter().find(|entry| entry.d_tag == tag).map(|entry| entry.clone().d_val());
    let Some(address) = value(DT_STRTAB) else {
        return Ok(Elf { interpreter, ..Elf::default() });
    };
    let start = offset(stream.segments(), address).ok_or(Error::Outside("string table"))?;
    let size = value(DT_STRSZ).and_then(|size| usize::try_from(size).ok()).ok_or(Error::Outside("string table"))?;
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    if start.checked_add(size as u64).is_none_or(|end| end > length) {
        return Err(Error::Outside("string table"));
    }
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, start)?;
    let strings = StringTable::new(&bytes);
    let texts = |tag| -> Result<Vec<String>, Error> {
        dynamic.iter().filter(|entry| entry.d_tag == tag).map(|entry| text(&strings, entry.clone().d_val())).collect()
    };
    let runpath = match texts(DT_RUNPATH)? {
        none if none.is_empty() => texts(DT_RPATH)?,
        some => some,
    };
    let folders = runpath.iter().flat_map(|path| path.split(':')).filter(|folder| !folder.is_empty());
    Ok(Elf { interpreter, needed: texts(DT_NEEDED)?, runpath: folders.map(str::to_owned).collect() })
}

fn text(strings: &StringTable<'_>, offset: u64) -> Result<String, Error> {
    let offset = usize::try_from(offset).map_err(|_| Error::Outside("library name"))?;
    Ok(strings.get(offset)?.to_owned())
}

fn interpreter(stream: &mut ElfStream<AnyEndian, &File>) -> Result<Option<String>, Error> {
    let Some(header) = stream.segments().iter().find(|header| header.p_type == PT_INTERP).copied() else {
        return Ok(None);
    };
    let path = stream.segment_data(&header)?.split(|byte| *byte == 0).next().unwrap_or_default();
    let path = std::str::from_utf8(path).map_err(|_| Error::Interpreter)?;
    if path.is_empty() { Err(Error::Interpreter) } else { Ok(Some(path.to_owned())) }
}

/// Where in the file a virtual address lies.
fn offset(segments: &[ProgramHeader], address: u64) -> Option<u64> {
    let load = segments.iter().find(|header| {
        let end = header.p_vaddr.checked_add(header.p_filesz);
        header.p_type == PT_LOAD && header.p_vaddr <= address && end.is_some_and(|end| address < end)
    })?;
    load.p_offset.checked_add(address - load.p_vaddr)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Result<Elf, Error> {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
        needed(&file)
    }
    use proptest::prelude::*;

    const LOAD: u64 = 0x40_0000;

    /// A minimal 64-bit little-endian file: headers, interpreter, dynamic table, string table.
    fn image(interpreter: Option<&str>, dynamic: &[(i64, &str)], claimed_strings: Option<u64>) -> Vec<u8> {
        let headers = 64 + 56 * 3;
        let interpreter_bytes: Vec<u8> = interpreter.map(|path| [path.as_bytes(), b"\0"].concat()).unwrap_or_default();
        let dynamic_at = headers + interpreter_bytes.len();
        let strings_at = dynamic_at + 16 * (dynamic.len() + 3);
        let mut strings = vec![0u8];
        let mut entries: Vec<(i64, u64)> = Vec::new();
        for (tag, text) in dynamic {
            entries.push((*tag, strings.len() as u64));
            strings.extend_from_slice(text.as_bytes());
            strings.push(0);
        }
        entries.push((DT_STRTAB, LOAD + strings_at as u64));
        entries.push((DT_STRSZ, claimed_strings.unwrap_or(strings.len() as u64)));
        entries.push((0, 0));
        let total = (strings_at + strings.len()) as u64;

        let mut out = Vec::new();
        out.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        out.extend_from_slice(&3u16.to_le_bytes());
        out.extend_from_slice(&62u16.to_le_bytes());
        out.extend_from_slice(&1u32.to_le_bytes());
        for word in [0u64, 64, 0] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&0u32.to_le_bytes());
        for half in [64u16, 56, 3, 64, 0, 0] {
            out.extend_from_slice(&half.to_le_bytes());
        }
        let interpreter_kind = if interpreter.is_some() { PT_INTERP } else { 0 };
        let dynamic_size = 16 * entries.len() as u64;
        for (kind, at, size) in [
            (PT_LOAD, 0, total),
            (interpreter_kind, headers as u64, interpreter_bytes.len() as u64),
            (2, dynamic_at as u64, dynamic_size),
        ] {
            out.extend_from_slice(&kind.to_le_bytes());
            out.extend_from_slice(&4u32.to_le_bytes());
            for word in [at, LOAD + at, LOAD + at, size, size, 1] {
                out.extend_from_slice(&word.to_le_bytes());
            }
        }
        out.extend_from_slice(&interpreter_bytes);
        for (tag, value) in entries {
            out.extend_from_slice(&tag.to_le_bytes());
            out.extend_from_slice(&value.to_le_bytes());
        }
        out.extend_from_slice(&strings);
        out
    }

    #[test]
    fn reads_interpreter_libraries_and_search_path() {
        let bytes = image(
            Some("/lib64/ld-linux-x86-64.so.2"),
            &[
                (DT_NEEDED, "libc.so.6"),
                (DT_RPATH, "/old"),
                (DT_NEEDED, "libm.so.6"),
                (DT_RUNPATH, "$ORIGIN/../lib:/opt"),
            ],
            None,
        );
        let expected = Elf {
            interpreter: Some("/lib64/ld-linux-x86-64.so.2".into()),
            needed: vec!["libc.so.6".into(), "libm.so.6".into()],
            runpath: vec!["$ORIGIN/../lib".into(), "/opt".into()],
        };
        assert_eq!(of(&bytes).unwrap(), expected);
    }

    #[test]
    fn rpath_counts_only_without_runpath() {
        let bytes = image(None, &[(DT_RPATH, "/a:/b")], None);
        let expected = Elf { interpreter: None, needed: vec![], runpath: vec!["/a".into(), "/b".into()] };
        assert_eq!(of(&bytes).unwrap(), expected);
    }

    #[test]
    fn refuses_what_is_not_elf_and_tables_outside_the_file() {
        assert!(matches!(of(b"#!/bin/sh\n"), Err(Error::NotElf)));
        assert!(matches!(of(b""), Err(Error::NotElf)));
        let bytes = image(None, &[(DT_NEEDED, "libc.so.6")], Some(1 << 40));
        assert!(matches!(of(&bytes), Err(Error::Outside("string table"))));
    }

    #[test]
    fn agrees_with_the_running_test_itself() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let elf = of(&own).unwrap();
        assert!(elf.needed.iter().any(|name| name.starts_with("libc.")), "{elf:?}");
        assert!(elf.interpreter.is_some_and(|path| std::path::Path::new(&path).exists()));
    }

    proptest! {
        #[test]
        fn never_panics_on_a_damaged_file(at in 0usize..400, byte: u8, cut in 0usize..500) {
            let mut bytes = image(Some("/lib/ld.so"), &[(DT_NEEDED, "libc.so.6"), (DT_RUNPATH, "/x")], None);
            let index = at % bytes.len();
            bytes[index] = byte;
            bytes.truncate(cut.max(1));
            let _ = of(&bytes);
        }
    }
}
