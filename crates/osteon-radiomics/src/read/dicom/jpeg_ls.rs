//! JPEG-LS planes of one channel, lossless and near-lossless (ITU-T T.87, annexes A, C and F).

/// Samples of a plane, row by row; `None` where the stream is none of `rows` x `columns` samples, is cut off, or uses
/// mapping tables, restart intervals or a point transform, which DICOM writers do not use.
pub fn decode(stream: &[u8], rows: usize, columns: usize) -> Option<Vec<u32>> {
    let (header, scan) = header(stream)?;
    if (header.rows, header.columns) != (rows, columns) {
        return None;
    }
    Decoder::new(&header, scan)?.plane(rows, columns)
}

#[derive(Default)]
struct Header {
    precision: u32,
    rows: usize,
    columns: usize,
    near: i32,
    /// Largest sample, three thresholds and the reset interval, where the stream states them; 0 is the default.
    preset: [i32; 5],
}

/// The header and the bytes behind it.
fn header(stream: &[u8]) -> Option<(Header, &[u8])> {
    let mut rest = stream.strip_prefix(&[0xff, 0xd8])?;
    let mut header = Header::default();
    loop {
        while let [0xff, 0xff, ..] = rest {
            rest = &rest[1..];
        }
        let [0xff, mark, ref after @ ..] = *rest else { return None };
        let length = usize::from(u16::from_be_bytes(after.get(..2)?.try_into().ok()?));
        let segment = after.get(2..length)?;
        let word = |at: usize| Some(u16::from_be_bytes(segment.get(at..at + 2)?.try_into().ok()?));
        rest = &after[length..];
        match mark {
            0xf7 => {
                header.precision = u32::from(*segment.first()?);
                (header.rows, header.columns) = (usize::from(word(1)?), usize::from(word(3)?));
                if *segment.get(5)? != 1 || !(2..=16).contains(&header.precision) {
                    return None;
                }
            }
            0xf8 if segment.first() == Some(&1) => {
                for (at, value) in header.preset.iter_mut().enumerate() {
                    *value = i32::from(word(1 + 2 * at)?);
                }
            }
            0xf8 => return None,
            0xdd if segment.iter().any(|&byte| byte != 0) => return None,
            0xda => {
                let [1, _, 0, near, 0, 0] = *segment else { return None };
                header.near = i32::from(near);
                return (header.precision > 0).then_some((header, rest));
            }
            _ => (),
        }
    }
}

/// T.87, A.7.1.1: the order of the run lengths.
const J: [u32; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// 365 contexts of regular mode, two of run interruption.
const CONTEXTS: usize = 367;

struct Decoder<'a> {
    bits: Bits<'a>,
    max: i32,
    near: i32,
    range: i32,
    bits_per_error: u32,
    limit: u32,
    thresholds: [i32; 3],
    reset: i32,
    a: [i32; CONTEXTS],
    b: [i32; CONTEXTS],
    c: [i32; CONTEXTS],
    n: [i32; CONTEXTS],
    /// Negative errors of the two contexts of run interruption.
    negative: [i32; 2],
    run: usize,
}

impl<'a> Decoder<'a> {
    fn new(header: &Header, scan: &'a [u8]) -> Option<Decoder<'a>> {
        let [max, t1, t2, t3, reset] = header.preset;
        let largest = (1 << header.precision) - 1;
        let max = if max == 0 { largest } else { max };
        let near = header.near;
        if max > largest || near > 255.min(max / 2) {
            return None;
        }
        let defaults = thresholds(max, near);
        let stated = |own: i32, default: i32| if own == 0 { default } else { own };
        let range = (max + 2 * near) / (2 * near + 1) + 1;
        let log2 = |n: i32| (n as u32).next_power_of_two().trailing_zeros();
        let width = log2(max + 1).max(2);
        let first = ((range + 32) / 64).max(2);
        Some(Decoder {
            bits: Bits { bytes: scan, at: 0, held: 0, count: 0, after_ff: false },
            max,
            near,
            range,
            bits_per_error: log2(range),
            limit: 2 * (width + width.max(8)),
            thresholds: [stated(t1, defaults[0]), stated(t2, defaults[1]), stated(t3, defaults[2])],
            reset: stated(reset, 64),
            a: [first; CONTEXTS],
            b: [0; CONTEXTS],
            c: [0; CONTEXTS],
            n: [1; CONTEXTS],
            negative: [0; 2],
            run: 0,
        })
    }

    fn plane(mut self, rows: usize, columns: usize) -> Option<Vec<u32>> {
        let mut plane = Vec::with_capacity(rows * columns);
        // One sample beyond either end of a line: T.87, A.2.1.
        let (mut above, mut line) = (vec![0; columns + 2], vec![0; columns + 2]);
        for _ in 0..rows {
            above[columns + 1] = above[columns];
            line[0] = above[1];
            let mut x = 1;
            while x <= columns {
                x = self.next(&above, &mut line, x, columns)?;
            }
            plane.extend(line[1..=columns].iter().map(|&sample| sample as u32));
            std::mem::swap(&mut above, &mut line);
        }
        Some(plane)
    }

    /// Decodes one sample or one run; gives the next position.
    fn next(&mut self, above: &[i32], line: &mut [i32], x: usize, columns: usize) -> Option<usize> {
        let (left, up, up_left, up_right) = (line[x - 1], above[x], above[x - 1], above[x + 1]);
        let gradients = [up_right - up, up - up_left, up_left - left];
        if gradients.iter().all(|gradient| gradient.abs() <= self.near) {
            return self.run(above, line, x, columns);
        }
        let [q1, q2, q3] = gradients.map(|gradient| self.quantized(gradient));
        let context = 81 * q1 + 9 * q2 + q3;
        let sign = if context < 0 { -1 } else { 1 };
        let at = context.unsigned_abs() as usize;
        let predicted = if up_left >= left.max(up) {
            left.min(up)
        } else if up_left <= left.min(up) {
            left.max(up)
        } else {
            left + up - up_left
        };
        let predicted = (predicted + sign * self.c[at]).clamp(0, self.max);
        let k = self.golomb(self.n[at], self.a[at])?;
        let mapped = self.coded(k, self.limit)?;
        let biased = self.near == 0 && k == 0 && 2 * self.b[at] <= -self.n[at];
        let error = match (biased, mapped % 2 == 1) {
            (true, true) => (mapped - 1) / 2,
            (true, false) => -(mapped / 2) - 1,
            (false, true) => -((mapped + 1) / 2),
            (false, false) => mapped / 2,
        };
        self.learn(at, error);
        line[x] = self.sample(predicted, sign * error);
        Some(x + 1)
    }

    fn quantized(&self, gradient: i32) -> i32 {
        let [t1, t2, t3] = self.thresholds;
        let size = match gradient.abs() {
            g if g <= self.near => 0,
            g if g < t1 => 1,
            g if g < t2 => 2,
            g if g < t3 => 3,
            _ => 4,
        };
        size * gradient.signum()
    }

    /// T.87, A.6: statistics of a context, and its bias.
    fn learn(&mut self, at: usize, error: i32) {
        self.b[at] = self.b[at].saturating_add(error.saturating_mul(2 * self.near + 1));
        self.a[at] = self.a[at].saturating_add(error.saturating_abs());
        if self.n[at] == self.reset {
            self.a[at] >>= 1;
            self.b[at] >>= 1;
            self.n[at] >>= 1;
        }
        self.n[at] += 1;
        let n = self.n[at];
        if self.b[at] <= -n {
            self.b[at] = (self.b[at] + n).max(1 - n);
            self.c[at] = (self.c[at] - 1).max(-128);
        } else if self.b[at] > 0 {
            self.b[at] = (self.b[at] - n).min(0);
            self.c[at] = (self.c[at] + 1).min(127);
        }
    }

    /// T.87, A.7: a run of one value, and the sample that ends it.
    fn run(&mut self, above: &[i32], line: &mut [i32], mut x: usize, columns: usize) -> Option<usize> {
        let value = line[x - 1];
        while self.bits.bit()? {
            let length = 1usize << J[self.run];
            let end = (x + length).min(columns + 1);
            line[x..end].fill(value);
            if x + length == end {
                self.run = (self.run + 1).min(31);
            }
            x = end;
            if x > columns {
                return Some(x);
            }
        }
        let length = self.bits.number(J[self.run])? as usize;
        if x + length > columns {
            return None;
        }
        line[x..x + length].fill(value);
        x += length;
        let (left, up) = (line[x - 1], above[x]);
        let kind = usize::from((left - up).abs() <= self.near);
        let at = 365 + kind;
        let total = if kind == 1 { self.a[at] + (self.n[at] >> 1) } else { self.a[at] };
        let k = self.golomb(self.n[at], total)?;
        let mapped = self.coded(k, self.limit - J[self.run] - 1)?;
        let doubled = mapped + kind as i32;
        let odd = doubled & 1;
        let size = (doubled + odd) / 2;
        let many_negative = k != 0 || 2 * self.negative[kind] >= self.n[at];
        let error = if (odd == 1) == many_negative { -size } else { size };
        self.negative[kind] += i32::from(error < 0);
        self.a[at] = self.a[at].saturating_add((mapped + 1 - kind as i32) >> 1);
        if self.n[at] == self.reset {
            self.a[at] >>= 1;
            self.n[at] >>= 1;
            self.negative[kind] >>= 1;
        }
        self.n[at] += 1;
        let (predicted, sign) = if kind == 1 { (left, 1) } else { (up, if left > up { -1 } else { 1 }) };
        line[x] = self.sample(predicted, sign * error);
        self.run = self.run.saturating_sub(1);
        Some(x + 1)
    }

    fn golomb(&self, n: i32, a: i32) -> Option<u32> {
        (0..=24).find(|&k| i64::from(n) << k >= i64::from(a))
    }

    /// T.87, A.5.3: a Golomb code of limited length.
    fn coded(&mut self, k: u32, limit: u32) -> Option<i32> {
        let longest = limit.checked_sub(self.bits_per_error + 1)?;
        let mut zeros = 0;
        while !self.bits.bit()? {
            zeros += 1;
            if zeros > longest {
                return None;
            }
        }
        if zeros < longest {
            i32::try_from((u64::from(zeros) << k) | u64::from(self.bits.number(k)?)).ok()
        } else {
            i32::try_from(self.bits.number(self.bits_per_error)? + 1).ok()
        }
    }

    fn sample(&self, predicted: i32, error: i32) -> i32 {
        let step = 2 * self.near + 1;
        let wrap = i64::from(self.range) * i64::from(step);
        let mut sample = i64::from(predicted) + i64::from(error) * i64::from(step);
        if sample < i64::from(-self.near) {
            sample += wrap;
        } else if sample > i64::from(self.max + self.near) {
            sample -= wrap;
        }
        sample.clamp(0, i64::from(self.max)) as i32
    }
}

/// T.87, C.2.4.1.1.1: the thresholds of a stream that states none.
fn thresholds(max: i32, near: i32) -> [i32; 3] {
    let within = |value: i32, low: i32| if value > max || value < low { low } else { value };
    let [a, b, c] = if max >= 128 {
        let factor = (max.min(4095) + 128) / 256;
        [factor + 2 + 3 * near, 4 * factor + 3 + 5 * near, 17 * factor + 4 + 7 * near]
    } else {
        let factor = 256 / (max + 1);
        [(3 / factor + 3 * near).max(2), (7 / factor + 5 * near).max(3), (21 / factor + 7 * near).max(4)]
    };
    let t1 = within(a, near + 1);
    let t2 = within(b, t1);
    [t1, t2, within(c, t2)]
}

/// Bits of a scan, the highest first; a byte behind 0xff holds seven.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u8,
    count: u32,
    after_ff: bool,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<bool> {
        if self.count == 0 {
            self.held = *self.bytes.get(self.at)?;
            self.at += 1;
            if self.after_ff && self.held >= 0x80 {
                return None;
            }
            self.count = if self.after_ff { 7 } else { 8 };
            self.after_ff = self.held == 0xff;
        }
        self.count -= 1;
        Some(self.held >> self.count & 1 == 1)
    }

    fn number(&mut self, bits: u32) -> Option<u32> {
        (0..bits).try_fold(0, |number, _| Some(number << 1 | u32::from(self.bit()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T.87, H.3: a picture of 4 x 4 samples of 8 bits with every step of its code.
    #[test]
    fn the_standards_example_is_decoded() {
        let samples: [u32; 16] = [0, 0, 90, 74, 68, 50, 43, 205, 64, 145, 145, 145, 100, 145, 145, 145];
        let code = [0xc0, 0x00, 0x00, 0x6c, 0x80, 0x20, 0x8e, 0x01, 0xc0, 0x00, 0x00, 0x57, 0x40, 0x00, 0x00, 0x6e];
        let code = code
            .into_iter()
            .chain([0xe6, 0x00, 0x00, 0x01, 0xbc, 0x18, 0x00, 0x00, 0x05, 0xd8, 0x00, 0x00, 0x91, 0x60]);
        let frame = [0xff, 0xd8, 0xff, 0xf7, 0, 11, 8, 0, 4, 0, 4, 1, 1, 0x11, 0];
        let scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0];
        let stream: Vec<u8> = frame.into_iter().chain(scan).chain(code).chain([0xff, 0xd9]).collect();
        assert_eq!(decode(&stream, 4, 4).as_deref(), Some(&samples[..]));
        assert_eq!(decode(&stream, 4, 5), None);
        assert!((0..stream.len() - 4).all(|end| decode(&stream[..end], 4, 4).is_none()));
    }
}
