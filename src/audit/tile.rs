//! The names and contents of what a log publishes: tiles of hashes and bundles of entries
//! (c2sp.org/tlog-tiles).
//!
//! A path has exactly one spelling; this file must never read a second one, so that nothing can be
//! asked for, cached or stored under two names.

use super::{note::decimal, tree::Hash};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// The number of hashes in a full tile, and of entries in a full bundle.
pub const WIDTH_MAX: u16 = 256;

/// The highest level a tile path can name.
pub const LEVEL_MAX: u8 = 63;

/// The longest entry: what a length of two bytes can say.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// The number of levels between one row of tiles and the next: 2^8 hashes make a full tile.
const TILE_HEIGHT: u32 = 8;

/// A tile of hashes: `width` complete subtrees of 256^`level` leaves each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

/// A bundle of entries: those whose leaf hashes are in the tile of level 0 with the same index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bundle {
    index: u64,
    width: u16,
}

/// Anything that lies under `tile/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// `tile/{level}/{index}[.p/{width}]`
    Tile(Tile),
    /// `tile/entries/{index}[.p/{width}]`
    Bundle(Bundle),
}

/// A path that names neither a tile nor a bundle, or not in the one right spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("this is not the path of a tile or an entry bundle")]
pub struct PathError;

impl Tile {
    /// A tile of `level` up to [`LEVEL_MAX`] and `width` from 1 to [`WIDTH_MAX`]; `None` otherwise.
    #[must_use]
    pub fn new(level: u8, index: u64, width: u16) -> Option<Self> {
        let valid = level <= LEVEL_MAX && (1..=WIDTH_MAX).contains(&width);
        valid.then_some(Self { level, index, width })
    }

    /// The level: 0 for leaf hashes.
    #[must_use]
    pub fn level(&self) -> u8 {
        self.level
    }

    /// The place within the level, counted in full tiles.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The number of hashes.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }
}

impl Bundle {
    /// A bundle of `width` from 1 to [`WIDTH_MAX`]; `None` otherwise.
    #[must_use]
    pub fn new(index: u64, width: u16) -> Option<Self> {
        (1..=WIDTH_MAX).contains(&width).then_some(Self { index, width })
    }

    /// The place among the bundles, counted in full ones.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The number of entries.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }
}

impl Resource {
    /// The number of hashes or entries.
    #[must_use]
    pub fn width(&self) -> u16 {
        match self {
            Self::Tile(tile) => tile.width,
            Self::Bundle(bundle) => bundle.width,
        }
    }

    /// The full tile or bundle that this one is the beginning of, or is.
    #[must_use]
    pub fn full(self) -> Self {
        match self {
            Self::Tile(tile) => Self::Tile(Tile {
                width: WIDTH_MAX,
                ..tile
            }),
            Self::Bundle(bundle) => Self::Bundle(Bundle {
                width: WIDTH_MAX,
                ..bundle
            }),
        }
    }

    /// The largest number of bytes its content can have.
    #[must_use]
    pub fn bytes_max(&self) -> usize {
        let each = match self {
            Self::Tile(_) => size_of::<Hash>(),
            Self::Bundle(_) => size_of::<u16>() + ENTRY_BYTES_MAX,
        };
        usize::from(self.width()) * each
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/", self.level)?;
        write_place(f, self.index, self.width)
    }
}

impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/entries/")?;
        write_place(f, self.index, self.width)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tile(tile) => tile.fmt(f),
            Self::Bundle(bundle) => bundle.fmt(f),
        }
    }
}

impl FromStr for Resource {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        let (kind, place) = path
            .strip_prefix("tile/")
            .and_then(|rest| rest.split_once('/'))
            .ok_or(PathError)?;
        let (index, width) = parse_place(place).ok_or(PathError)?;
        let resource = if kind == "entries" {
            Bundle::new(index, width).map(Self::Bundle)
        } else {
            decimal(kind)
                .and_then(|level| u8::try_from(level).ok())
                .and_then(|level| Tile::new(level, index, width))
                .map(Self::Tile)
        };
        resource.ok_or(PathError)
    }
}

impl FromStr for Tile {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        match path.parse()? {
            Resource::Tile(tile) => Ok(tile),
            Resource::Bundle(_) => Err(PathError),
        }
    }
}

impl FromStr for Bundle {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        match path.parse()? {
            Resource::Bundle(bundle) => Ok(bundle),
            Resource::Tile(_) => Err(PathError),
        }
    }
}

/// How wide the tile at `index` of `level` is in a tree of `tree_size` leaves: [`WIDTH_MAX`] if it
/// is full, less if it is the partial one at the right edge, `None` if there is no such tile.
#[must_use]
pub fn partial_width(level: u8, index: u64, tree_size: u64) -> Option<u16> {
    let before = index.checked_mul(u64::from(WIDTH_MAX))?;
    let rest = hashes_at(level, tree_size).checked_sub(before)?;
    let width = u16::try_from(rest).unwrap_or(WIDTH_MAX).min(WIDTH_MAX);
    (width > 0).then_some(width)
}

/// All tiles of a tree of `tree_size` leaves, from the leaves upward, each level from the left.
pub fn tiles(tree_size: u64) -> impl Iterator<Item = Tile> {
    (0..=LEVEL_MAX).flat_map(move |level| {
        (0..hashes_at(level, tree_size).div_ceil(u64::from(WIDTH_MAX)))
            .filter_map(move |index| Tile::new(level, index, partial_width(level, index, tree_size)?))
    })
}

/// All entry bundles of a tree of `tree_size` leaves, from the left.
pub fn bundles(tree_size: u64) -> impl Iterator<Item = Bundle> {
    (0..tree_size.div_ceil(u64::from(WIDTH_MAX)))
        .filter_map(move |index| Bundle::new(index, partial_width(0, index, tree_size)?))
}

/// The number of complete subtrees of 256^level leaves.
fn hashes_at(level: u8, tree_size: u64) -> u64 {
    tree_size.checked_shr(TILE_HEIGHT * u32::from(level)).unwrap_or(0)
}

/// The hashes in the content of a tile that must hold exactly `width` of them and nothing else.
#[must_use]
pub fn decode_hashes(content: &[u8], width: u16) -> Option<&[Hash]> {
    let (hashes, tail) = content.as_chunks();
    (tail.is_empty() && hashes.len() == usize::from(width)).then_some(hashes)
}

/// Why entries do not make a bundle, or bytes are not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BundleError {
    /// An entry is longer than [`ENTRY_BYTES_MAX`]; entries are counted from 0.
    #[error("entry {0} of the bundle is longer than {ENTRY_BYTES_MAX} bytes")]
    EntryTooLong(usize),
    /// The bytes end within an entry or within its length.
    #[error("the bundle is cut off within entry {0}")]
    CutOff(usize),
    /// There are fewer or more entries than the name of the bundle says.
    #[error("the bundle does not hold exactly {0} entries")]
    WrongCount(u16),
}

/// The content of a bundle: every entry after its length in two bytes, big end first.
///
/// # Errors
/// [`BundleError::EntryTooLong`].
pub fn encode_entries<'e>(entries: impl IntoIterator<Item = &'e [u8]>) -> Result<Vec<u8>, BundleError> {
    let mut content = Vec::new();
    for (place, entry) in entries.into_iter().enumerate() {
        let length = u16::try_from(entry.len()).map_err(|_| BundleError::EntryTooLong(place))?;
        content.extend_from_slice(&length.to_be_bytes());
        content.extend_from_slice(entry);
    }
    Ok(content)
}

/// The entries in the content of a bundle that must hold exactly `width` of them and nothing else.
///
/// # Errors
/// [`BundleError::CutOff`], [`BundleError::WrongCount`], whichever is met first from the left.
pub fn decode_entries(content: &[u8], width: u16) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::new();
    let mut rest = content;
    for place in 0..usize::from(width) {
        if rest.is_empty() {
            return Err(BundleError::WrongCount(width));
        }
        let (entry, after) = split_entry(rest).ok_or(BundleError::CutOff(place))?;
        entries.push(entry);
        rest = after;
    }
    if !rest.is_empty() {
        return Err(BundleError::WrongCount(width));
    }
    Ok(entries)
}

fn split_entry(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = content.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Writes `x001/x234/067` for 1234067, and `.p/{width}` after it unless the width is full.
fn write_place(f: &mut fmt::Formatter<'_>, index: u64, width: u16) -> fmt::Result {
    let mut groups = format!("{:03}", index % 1_000);
    let mut rest = index / 1_000;
    while rest > 0 {
        groups = format!("x{:03}/{groups}", rest % 1_000);
        rest /= 1_000;
    }
    f.write_str(&groups)?;
    if width < WIDTH_MAX {
        write!(f, ".p/{width}")?;
    }
    Ok(())
}

/// Reads what [`write_place`] writes, and nothing else.
fn parse_place(place: &str) -> Option<(u64, u16)> {
    match place.split_once(".p/") {
        None => Some((parse_index(place)?, WIDTH_MAX)),
        Some((index, width)) => {
            let width = decimal(width).and_then(|it| u16::try_from(it).ok())?;
            (1..WIDTH_MAX)
                .contains(&width)
                .then_some((parse_index(index)?, width))
        }
    }
}

fn parse_index(path: &str) -> Option<u64> {
    let (head, last) = match path.rsplit_once('/') {
        Some((head, last)) => (Some(head), last),
        None => (None, path),
    };
    let mut index = 0;
    if let Some(head) = head {
        // A first group of zeroes would be a second spelling of the same index.
        if head.starts_with("x000") {
            return None;
        }
        for group in head.split('/') {
            index = append(index, group.strip_prefix('x')?)?;
        }
    }
    append(index, last)
}

/// The index with one more group of exactly three digits; `None` if it overflows.
fn append(index: u64, group: &str) -> Option<u64> {
    let digits = group.len() == 3 && group.bytes().all(|it| it.is_ascii_digit());
    let value: u64 = digits.then(|| group.parse().ok()).flatten()?;
    index.checked_mul(1_000)?.checked_add(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The path of the same tile by the other implementation, which also names the tile height.
    fn their_path(tile: tlog_tiles::Tile) -> String {
        tile.path()
            .replacen("tile/8/", "tile/", 1)
            .replacen("/data/", "/entries/", 1)
    }

    fn refuses(path: &str) {
        assert_eq!(path.parse::<Resource>(), Err(PathError), "{path}");
    }

    #[test]
    fn a_path_has_the_spelling_of_the_specification() {
        for (path, resource) in [
            ("tile/0/000", Tile::new(0, 0, 256).map(Resource::Tile)),
            ("tile/5/999", Tile::new(5, 999, 256).map(Resource::Tile)),
            ("tile/0/x001/000", Tile::new(0, 1_000, 256).map(Resource::Tile)),
            (
                "tile/63/x001/x234/067.p/255",
                Tile::new(63, 1_234_067, 255).map(Resource::Tile),
            ),
            (
                "tile/entries/x123/456.p/1",
                Bundle::new(123_456, 1).map(Resource::Bundle),
            ),
            (
                "tile/1/x018/x446/x744/x073/x709/x551/615",
                Tile::new(1, u64::MAX, 256).map(Resource::Tile),
            ),
        ] {
            assert_eq!(path.parse::<Resource>().ok(), resource, "{path}");
            assert_eq!(resource.unwrap().to_string(), path);
        }
    }

    #[test]
    fn any_other_spelling_is_refused() {
        for path in [
            "",
            "tile",
            "tile/",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile/0/000/",
            "tile//000",
            "Tile/0/000",
            "tile/00/000",
            "tile/01/000",
            "tile/64/000",
            "tile/256/000",
            "tile/-1/000",
            "tile/+1/000",
            "tile/data/000",
            "tile/Entries/000",
            "tile/0/0",
            "tile/0/00",
            "tile/0/0000",
            "tile/0/x000",
            "tile/0/x001",
            "tile/0/001/002",
            "tile/0/X001/002",
            "tile/0/x001/x002",
            "tile/0/x000/001",
            "tile/0/x000/x001/001",
            "tile/0/x1/001",
            "tile/0/x0001/001",
            "tile/0/x001//001",
            "tile/0/x+01/001",
            "tile/0/+01",
            "tile/0/ 01",
            "tile/0/０００",
            "tile/0/../000",
            "tile/0/000.p",
            "tile/0/000.p/",
            "tile/0/000.p/0",
            "tile/0/000.p/01",
            "tile/0/000.p/256",
            "tile/0/000.p/257",
            "tile/0/000.p/65537",
            "tile/0/000.p/1/",
            "tile/0/000.p/+1",
            "tile/0/000.P/1",
            "tile/0/000.p/1.p/1",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "tile/0/x999/x999/x999/x999/x999/x999/999",
        ] {
            refuses(path);
        }
        assert_eq!("tile/entries/000".parse::<Tile>(), Err(PathError));
        assert_eq!("tile/0/000".parse::<Bundle>(), Err(PathError));
        assert_eq!((Tile::new(0, 0, 0), Tile::new(0, 0, 257)), (None, None));
        assert_eq!((Tile::new(64, 0, 1), Bundle::new(0, 0)), (None, None));
        assert_eq!(Bundle::new(0, 257), None);
    }

    #[test]
    fn a_tree_has_the_tiles_the_other_implementation_publishes() {
        for size in (0..1_030).chain([65_535, 65_536, 65_537, 70_000, 131_072, 16_777_217]) {
            let theirs = tlog_tiles::Tile::new_tiles(8, 0, size);
            assert!(
                tiles(size)
                    .map(|it| it.to_string())
                    .eq(theirs.into_iter().map(their_path))
            );
        }
    }

    #[test]
    fn the_example_of_the_specification_comes_out() {
        let count = |level, width| {
            tiles(70_000)
                .filter(|it| it.level() == level && it.width() == width)
                .count()
        };
        assert_eq!((count(0, 256), count(0, 112)), (273, 1));
        assert_eq!((count(1, 256), count(1, 17)), (1, 1));
        assert_eq!((count(2, 1), tiles(70_000).count()), (1, 277));
        assert_eq!(bundles(70_000).count(), 274);
        assert!(
            tiles(256)
                .map(|it| it.to_string())
                .eq(["tile/0/000", "tile/1/000.p/1"])
        );
    }

    #[test]
    fn a_width_is_known_only_for_tiles_that_exist() {
        assert_eq!(partial_width(0, 0, 0), None);
        assert_eq!(partial_width(0, 0, 1), Some(1));
        assert_eq!(partial_width(0, 0, 256), Some(256));
        assert_eq!(partial_width(0, 1, 256), None);
        assert_eq!(partial_width(1, 0, 255), None);
        assert_eq!(partial_width(1, 0, 256), Some(1));
        assert_eq!(partial_width(7, 0, u64::MAX), Some(255));
        assert_eq!(partial_width(8, 0, u64::MAX), None);
        assert_eq!(partial_width(63, 0, u64::MAX), None);
        assert_eq!(partial_width(0, u64::MAX, u64::MAX), None);
        assert_eq!(partial_width(0, u64::MAX >> 8, u64::MAX), Some(255));
    }

    #[test]
    fn a_tile_has_exactly_the_hashes_its_name_says() {
        assert_eq!(decode_hashes(&[7; 96], 3).unwrap(), [[7; 32]; 3]);
        for length in [0, 32, 64, 95, 97, 128] {
            assert_eq!(decode_hashes(&vec![7; length], 3), None);
        }
        let partial: Resource = "tile/0/000.p/3".parse().unwrap();
        assert_eq!((partial.width(), partial.bytes_max()), (3, 96));
        assert_eq!(
            (partial.full().to_string().as_str(), partial.full().bytes_max()),
            ("tile/0/000", 8_192)
        );
        let partial: Resource = "tile/entries/000.p/3".parse().unwrap();
        assert_eq!((partial.width(), partial.bytes_max()), (3, 3 * 65_537));
        assert_eq!(partial.full().to_string(), "tile/entries/000");
    }

    #[test]
    fn a_bundle_is_read_whole_or_not_at_all() {
        let longest = vec![b'x'; ENTRY_BYTES_MAX];
        let entries: [&[u8]; 4] = [b"one", b"", &longest, b"four"];
        let content = encode_entries(entries).unwrap();
        assert_eq!(decode_entries(&content, 4).unwrap(), entries);
        assert_eq!(decode_entries(&content, 3), Err(BundleError::WrongCount(3)));
        assert_eq!(decode_entries(&content, 5), Err(BundleError::WrongCount(5)));
        let cut = content.split_last().unwrap().1;
        assert_eq!(decode_entries(cut, 4), Err(BundleError::CutOff(3)));
        assert_eq!(decode_entries(&[0], 1), Err(BundleError::CutOff(0)));
        assert_eq!(decode_entries(&[], 1), Err(BundleError::WrongCount(1)));
        assert_eq!(decode_entries(&[], 0), Ok(vec![]));
        let too_long = [&b""[..], &[0; ENTRY_BYTES_MAX + 1]];
        assert_eq!(encode_entries(too_long), Err(BundleError::EntryTooLong(1)));
        assert!(Resource::Bundle(Bundle::new(0, 4).unwrap()).bytes_max() >= content.len());
    }

    proptest! {
        #[test]
        fn paths_are_those_of_the_other_implementation(
            level in 0..=LEVEL_MAX,
            index in prop_oneof![any::<u64>(), 0_u64..2_000_000],
            width in 1..=WIDTH_MAX,
        ) {
            let tile = Tile::new(level, index, width).unwrap();
            let wide = u32::from(width);
            let theirs = tlog_tiles::Tile::new(8, level, index, wide, false);
            prop_assert_eq!(tile.to_string(), their_path(theirs));
            prop_assert_eq!(tile.to_string().parse::<Tile>(), Ok(tile));
            let bundle = Bundle::new(index, width).unwrap();
            let theirs = tlog_tiles::Tile::new(8, 0, index, wide, true);
            prop_assert_eq!(bundle.to_string(), their_path(theirs));
            prop_assert_eq!(bundle.to_string().parse::<Bundle>(), Ok(bundle));
        }

        #[test]
        fn what_is_read_is_written_back_the_same(path in "tile/([0-9]{1,3}|entries)(/x?[0-9]{1,4}){1,3}(\\.p/[0-9]{1,4})?") {
            if let Ok(resource) = path.parse::<Resource>() {
                prop_assert_eq!(resource.to_string(), path);
            }
        }

        #[test]
        fn a_bundle_comes_back(entries in prop::collection::vec(any::<Vec<u8>>(), 0..40)) {
            let content = encode_entries(entries.iter().map(Vec::as_slice)).unwrap();
            let width = u16::try_from(entries.len()).unwrap();
            prop_assert_eq!(decode_entries(&content, width).unwrap(), entries);
        }

        #[test]
        fn bytes_read_as_a_bundle_are_its_one_encoding(content in any::<Vec<u8>>(), width in 0..20_u16) {
            if let Ok(entries) = decode_entries(&content, width) {
                prop_assert_eq!(encode_entries(entries).unwrap(), content);
            }
        }
    }
}
