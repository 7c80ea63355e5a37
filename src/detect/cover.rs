//! Which literals to search for, so that every spelling of every prefix is met: worked out.
//!
//! There are hundreds of spellings, and the packed searcher holds its speed with a few dozen
//! literals, of which it looks at the first three bytes. Many spellings share a few bytes: `ghp_`,
//! `ghp%5F` and `ghp\_` all hold `ghp`, and all of JSON's escapes of `_` hold `\u005`. So the
//! literals are windows of three bytes into the spellings, chosen greedily: what is met by most and
//! found least by chance comes first. Where all that meets there goes on alike, the literal does
//! too, so that the searcher itself refuses most of what is none.

use std::collections::BinaryHeap;

use super::arrange::{LOOKED_AT, Mask};
use super::form::Form;
use super::frequency::Model;
use super::spell::Spelling;

/// Something to search for, and what it may be a part of.
#[derive(Debug)]
pub(super) struct Literal {
    pub(super) text: Vec<u8>,
    pub(super) probes: Vec<Probe>,
}

impl Literal {
    /// A prefix that is searched for as it is.
    pub(super) fn plain(prefix: &[u8]) -> Self {
        let form = Form::Plain;
        Self {
            text: prefix.to_vec(),
            probes: vec![Probe { offset: 0, form }],
        }
    }
}

/// What a literal may be a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Probe {
    /// How far behind the start of the spelling the literal stands.
    pub(super) offset: usize,
    pub(super) form: Form,
}

/// Literals for all `spellings`, each seldom by `model`. None is the start of another one.
pub(super) fn cover(spellings: &[Spelling], model: &dyn Model) -> Vec<Literal> {
    let mut literals = choose(spellings, model);
    literals.sort_by(|a, b| a.text.cmp(&b.text));
    // Sorted, so that whatever starts with a literal stands right behind it.
    literals.dedup_by(|longer, shorter| {
        let same = longer.text.starts_with(&shorter.text);
        if same {
            add(&mut shorter.probes, &longer.probes);
        }
        same
    });
    literals
}

fn add(probes: &mut Vec<Probe>, more: &[Probe]) {
    for probe in more {
        if !probes.contains(probe) {
            probes.push(*probe);
        }
    }
}

fn choose(spellings: &[Spelling], model: &dyn Model) -> Vec<Literal> {
    let windows = windows(spellings, model);
    let offers = offers(spellings, &windows);
    let mut met = vec![false; spellings.len()];
    let mut chosen: Vec<Option<Literal>> = windows.iter().map(|_| None).collect();
    let worth = |offer: usize, met: &[bool], chosen: &[Option<Literal>]| {
        let new = offers[offer].iter().filter(|&&at| chosen[at].is_none());
        let news = new.clone().map(|&at| windows[at].news(met)).sum::<u16>();
        let price = price(new.map(|&at| &windows[at]), model);
        // None is negative, so their bits stand in the order of their values.
        (f32::from(news) / price.max(1.0)).to_bits()
    };
    let all = (0..offers.len()).map(|offer| (worth(offer, &met, &chosen), offer));
    let mut queue: BinaryHeap<(u32, usize)> = all.collect();
    // What an offer is worth seldom rises, so most need not be looked at again.
    while let Some((before, offer)) = queue.pop() {
        let now = worth(offer, &met, &chosen);
        if now == 0 {
            continue;
        }
        if now < before {
            queue.push((now, offer));
            continue;
        }
        for &at in &offers[offer] {
            if chosen[at].is_none() && windows[at].news(&met) > 0 {
                chosen[at] = Some(windows[at].meet(spellings, &mut met));
            }
        }
    }
    chosen.into_iter().flatten().collect()
}

/// Some bytes that a literal may be made of.
struct Window {
    mask: Mask,
    /// How often it stands in a place.
    chance: f32,
    /// The spellings (by index) that hold it, and how far behind their starts; in order.
    places: Vec<(usize, usize)>,
}

impl Window {
    /// How many spellings it would meet that are not met.
    fn news(&self, met: &[bool]) -> u16 {
        let mut last = usize::MAX;
        let mut news = 0;
        for &(at, _) in &self.places {
            news += u16::from(at != last && !met[at]);
            last = at;
        }
        news
    }

    /// Makes a literal of it for all that is not met.
    fn meet(&self, spellings: &[Spelling], met: &mut [bool]) -> Literal {
        let mut literal = Literal {
            text: Vec::new(),
            probes: Vec::new(),
        };
        let holders = self.places.chunk_by(|a, b| a.0 == b.0);
        let mut holders: Vec<_> = holders.filter(|places| !met[places[0].0]).collect();
        // Where there is a choice, it is made last, so that more can be had in common.
        holders.sort_by_key(|places| places.len());
        for places in holders {
            let spelling = &spellings[places[0].0];
            let behind = |offset: usize| &spelling.text[offset..spelling.piece_end(offset)];
            let common = |offset: usize| {
                let pairs = literal.text.iter().zip(behind(offset));
                pairs.take_while(|(a, b)| a == b).count()
            };
            let offsets = places.iter().map(|&(_, offset)| offset);
            let Some(offset) = offsets.max_by_key(|&offset| common(offset)) else {
                continue;
            };
            let common = common(offset);
            if literal.probes.is_empty() {
                literal.text = behind(offset).to_vec();
            } else {
                literal.text.truncate(common);
            }
            let form = spelling.form;
            add(&mut literal.probes, &[Probe { offset, form }]);
            met[places[0].0] = true;
        }
        literal
    }
}

fn windows(spellings: &[Spelling], model: &dyn Model) -> Vec<Window> {
    let mut all: Vec<(&[u8], usize, usize)> = Vec::new();
    for (at, spelling) in spellings.iter().enumerate() {
        let length = LOOKED_AT.min(spelling.text.len()).max(1);
        for (offset, window) in spelling.text.windows(length).enumerate() {
            if offset + length <= spelling.piece_end(offset) {
                all.push((window, at, offset));
            }
        }
    }
    all.sort_unstable();
    let groups = all.chunk_by(|a, b| a.0 == b.0);
    let windows = groups.map(|group| Window {
        mask: Mask::of(group[0].0),
        chance: model.text(group[0].0),
        places: group.iter().map(|&(_, at, offset)| (at, offset)).collect(),
    });
    windows.collect()
}

/// Choices, each of the windows (by index) at one place of all spellings of a family.
fn offers(spellings: &[Spelling], windows: &[Window]) -> Vec<Vec<usize>> {
    let mut members = Vec::new();
    for (window, Window { places, .. }) in windows.iter().enumerate() {
        let place = |&(at, offset): &(usize, usize)| (spellings[at].family, offset);
        members.extend(places.iter().map(|at| (place(at), window)));
    }
    members.sort_unstable();
    members.dedup();
    let offers = members.chunk_by(|a, b| a.0 == b.0);
    offers
        .map(|offer| offer.iter().map(|&(_, window)| window).collect())
        .collect()
}

/// What it costs to search for some windows more: for each, and for the places at which a bucket
/// made of them would stop.
fn price<'w>(windows: impl Iterator<Item = &'w Window>, model: &dyn Model) -> f32 {
    /// How many literals more are worth not stopping once in every byte.
    const DREAD: f32 = 3e4;

    let (mut count, mut common, mut mask) = (0.0, 0.0, Mask::default());
    for window in windows {
        count += 1.0;
        common += window.chance;
        mask = mask.or(window.mask);
    }
    count + DREAD * (model.mask(&mask) + common)
}
