// Calls one function with arguments from JSON and reports its result as JSON.
//
// This file becomes the module `__proctor` of the user's crate. It therefore
// compiles in every edition from rustc 1.63 on, below any crate attribute
// (no_std, no_implicit_prelude, forbid(unsafe_code) with --cap-lints=allow),
// and below any macro the user defined: std's macros are named by path only.
// It knows no platform: the host provides four functions and calls one.

extern crate std;

// The crate's own, whatever it calls them: rustc_library.sh finds both and sets the word.
#[cfg(proctor_serde)]
extern crate proctor_serde as serde;
#[cfg(proctor_serde)]
extern crate proctor_serde_json as serde_json;

#[cfg(proctor_serde)]
use self::serde::{Deserialize, Serialize};
use self::std::any::{type_name, Any};
use self::std::borrow::Cow;
use self::std::cell::RefCell;
use self::std::cmp::Ordering;
use self::std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use self::std::convert::TryFrom;
use self::std::fmt::{Debug, Write};
use self::std::future::Future;
use self::std::hash::{BuildHasher, Hash};
use self::std::marker::PhantomData;
use self::std::prelude::v1::*;
use self::std::rc::Rc;
use self::std::sync::atomic::{AtomicBool, AtomicUsize, Ordering as Memory};
use self::std::sync::Arc;
use self::std::time::{Duration, Instant};

// ---- the border with the host ----------------------------------------------

// Edition 2024 demands `unsafe` on both items, rustc 1.63 does not know it.
// Only in edition 2024 does `_` match an expression: that chooses the arm.
macro_rules! border {
    ($edition_2024:expr) => {
        #[cfg_attr(target_arch = "wasm32", link(wasm_import_module = "proctor"))]
        unsafe extern "C" {
            fn proctor_request_size() -> usize;
            fn proctor_request_read(to: *mut u8);
            fn proctor_send(record: *const u8, size: usize);
            fn proctor_processor_milliseconds() -> usize;
        }
        #[unsafe(no_mangle)]
        pub extern "C" fn proctor_call() {
            run()
        }
    };
    (_) => {
        #[cfg_attr(target_arch = "wasm32", link(wasm_import_module = "proctor"))]
        extern "C" {
            fn proctor_request_size() -> usize;
            fn proctor_request_read(to: *mut u8);
            fn proctor_send(record: *const u8, size: usize);
            fn proctor_processor_milliseconds() -> usize;
        }
        #[no_mangle]
        pub extern "C" fn proctor_call() {
            run()
        }
    };
}
border!(_);

fn send(record: &str) {
    unsafe { proctor_send(record.as_ptr(), record.len()) }
}

static FINISHED: AtomicBool = AtomicBool::new(false);

// Only the first final record counts: a destructor may panic after the result was sent.
fn finish(record: &str) {
    // Nobody else would: the program around this is not Rust's.
    let _ = std::io::Write::flush(&mut std::io::stdout());
    if !FINISHED.swap(true, Memory::SeqCst) {
        send(record);
    }
}

fn request() -> Result<Guest, Refusal> {
    let mut bytes = Vec::new();
    bytes.resize(unsafe { proctor_request_size() }, 0u8);
    unsafe { proctor_request_read(bytes.as_mut_ptr()) };
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => return Err(Refusal::whole("the request is not UTF-8")),
    };
    let members = match parse(&text) {
        Ok(Json::Object(members)) => members,
        Ok(_) => return Err(Refusal::whole("the request is no JSON object")),
        Err(why) => return Err(Refusal::whole(&std::format!("the request is not JSON: {}", why))),
    };
    let (mut arguments, mut timing, mut output_limit) = (None, None, usize::MAX);
    for (name, value) in members {
        match (&*name, value) {
            ("args", Json::List(list)) => arguments = Some(list),
            // Rust has no names for arguments: an object is the only one.
            ("args", value) => arguments = Some(std::vec![value]),
            ("output_limit", Json::Number(text)) => output_limit = text.parse().unwrap_or(output_limit),
            ("timing", value) => timing = Some(Timing::new(&value, text.len())),
            _ => (),
        }
    }
    match arguments {
        Some(arguments) => Ok(Guest { arguments, timing, output_limit, nanoseconds: 0 }),
        None => Err(Refusal::whole("the request has no \"args\"")),
    }
}

fn run() {
    watch_panics();
    let mut guest = match request() {
        Ok(guest) => guest,
        Err(refusal) => return finish(&refusal.record()),
    };
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| <Guest as Target>::call(&mut guest)));
    if let Err(payload) = ended {
        finish(&in_iteration(raised_by(&*payload)));
        std::mem::forget(payload); // its destructor is the user's and might panic again
    }
}

// ---- panics -----------------------------------------------------------------

// The last panic of this thread: its message and its record.
std::thread_local! {
    static LAST_PANIC: RefCell<(String, String)> = RefCell::new((String::new(), String::new()));
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    match (payload.downcast_ref::<&'static str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => String::from(*text),
        (_, Some(text)) => text.clone(),
        _ => String::from("a panic whose payload is no text"),
    }
}

// Characters of an error's message.
const MOST_MESSAGE: usize = 4000;

fn raised(message: &str, place: Option<(&str, u32, u32)>) -> String {
    let mut record = String::from("{\"event\":\"raised\",\"message\":");
    write_text(&cut(message, MOST_MESSAGE), &mut record);
    if let Some((file, line, column)) = place {
        record.push_str(",\"file\":");
        write_text(file, &mut record);
        let _ = std::write!(record, ",\"line\":{},\"column\":{}", line, column);
    }
    record.push('}');
    record
}

// Where a panic aborts, the hook is the last chance to say so. Where it
// unwinds, the user may still catch it: it is only kept for `run`.
fn watch_panics() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let message = panic_message(info.payload());
        let record = raised(&message, info.location().map(|at| (at.file(), at.line(), at.column())));
        if cfg_panic_aborts() {
            finish(&in_iteration(record));
        } else {
            let _ = LAST_PANIC.try_with(|last| {
                if let Ok(mut last) = last.try_borrow_mut() {
                    *last = (message, record);
                }
            });
        }
        previous(info)
    }));
}

#[cfg(panic = "abort")]
fn cfg_panic_aborts() -> bool {
    true
}
#[cfg(not(panic = "abort"))]
fn cfg_panic_aborts() -> bool {
    false
}

// The hook did not see a panic that was resumed, nor any if the user replaced the hook.
fn raised_by(payload: &(dyn Any + Send)) -> String {
    let message = panic_message(payload);
    LAST_PANIC
        .try_with(|last| match last.try_borrow() {
            Ok(ref last) if !last.1.is_empty() && last.0 == message => last.1.clone(),
            _ => raised(&message, None),
        })
        .unwrap_or_else(|_| raised(&message, None))
}

// ---- what the shim in the user's module uses --------------------------------

pub struct Guest {
    arguments: Vec<Json>,
    timing: Option<Timing>,
    output_limit: usize, // bytes of the result's JSON
    nanoseconds: u128,
}

// The shim implements this beside the user's function, where private names are
// visible. A trait needs no path from here to there and nothing unsafe.
pub trait Target {
    fn call(guest: &mut Self);
}

// Nothing is returned when it was refused, or only timed.
pub enum Outcome<R> {
    Returned(R),
    Refused,
}

pub fn invoke<F, Arguments>(guest: &mut Guest, function: F, decoders: Arguments::Decoders) -> Outcome<F::Output>
where
    F: Call<Arguments>,
    Arguments: FromArguments,
{
    let list = std::mem::replace(&mut guest.arguments, Vec::new());
    let given = if guest.timing.is_some() { list.clone() } else { Vec::new() };
    let arguments = match Arguments::from_arguments(list, &decoders) {
        Ok(arguments) => arguments,
        Err(refusal) => {
            finish(&refusal.record());
            return Outcome::Refused;
        }
    };
    send("{\"event\":\"started\"}");
    if let Some(timing) = guest.timing.take() {
        finish(&Calls { function, given, decoders, ended: 0, next: Some(arguments) }.measure(&timing));
        return Outcome::Refused; // there is nothing to show
    }
    let start = Instant::now();
    let value = function.call(arguments);
    guest.nanoseconds = start.elapsed().as_nanos();
    Outcome::Returned(value)
}

// ---- timing; proctor_host.py has the same, with reasons ----------------------

const WARM_CALLS_NS: f64 = 1e7;
const WARM_SHARE: f64 = 5.0;
const CLOCK_SHARE: f64 = 100.0;
const FEWEST_SAMPLES: usize = 20;
const MOST_SAMPLES: usize = 100_000;
const PROGRESS: Duration = Duration::from_millis(50);
const MOST_ARGUMENTS: usize = 4 << 20;

// The call of a benchmark that is being made, from 1, or the first of its batch; 0 when nothing is timed.
static ITERATION: AtomicUsize = AtomicUsize::new(0);
static INEXACT: AtomicBool = AtomicBool::new(false);

fn in_iteration(mut record: String) -> String {
    let number = ITERATION.load(Memory::SeqCst);
    if number > 0 {
        record.pop();
        let inexact = if INEXACT.load(Memory::SeqCst) { ",\"inexact\":true" } else { "" };
        let _ = std::write!(record, ",\"iteration\":{}{}}}", number, inexact);
    }
    record
}

struct Timing {
    start: Instant,
    iterations: Option<usize>,
    samples: usize,
    wall: f64,      // nanoseconds
    processor: f64, // nanoseconds
    length: usize,  // of the request
}

impl Timing {
    fn new(json: &Json, length: usize) -> Timing {
        let number = |wanted: &str| match *json {
            Json::Object(ref members) => members.iter().find(|member| member.0 == wanted).and_then(|member| match member.1 {
                Json::Number(ref text) => text.parse::<usize>().ok(),
                _ => None,
            }),
            _ => None,
        };
        let nanoseconds = |name: &str| number(name).unwrap_or(0) as f64 * 1e6;
        Timing {
            start: Instant::now(),
            iterations: number("iterations"),
            samples: number("samples").unwrap_or(1),
            wall: nanoseconds("wall_ms"),
            processor: nanoseconds("processor_ms"),
            length,
        }
    }

    // Nanoseconds of the wall clock and of the processor up to now.
    fn spent(&self) -> (f64, f64) {
        (self.start.elapsed().as_nanos() as f64, unsafe { proctor_processor_milliseconds() } as f64 * 1e6)
    }
}

// Keeps the optimizer from knowing a value, and from leaving out what made it.
#[cfg(proctor_black_box)]
#[inline(always)]
fn keep<T>(value: T) -> T {
    std::hint::black_box(value)
}
#[cfg(not(proctor_black_box))]
#[inline(always)]
fn keep<T>(value: T) -> T {
    unsafe {
        let kept = std::ptr::read_volatile(&value);
        std::mem::forget(value);
        kept
    }
}

struct Calls<F, Arguments: FromArguments> {
    function: F,
    given: Vec<Json>,
    decoders: Arguments::Decoders,
    ended: usize,
    next: Option<Arguments>,
}

impl<F: Call<Arguments>, Arguments: FromArguments> Calls<F, Arguments> {
    fn fresh(&mut self) -> Option<Arguments> {
        LENT.with(|lent| lent.borrow_mut().next = 0);
        self.next.take().or_else(|| Arguments::from_arguments(self.given.clone(), &self.decoders).ok())
    }

    // Makes so many calls; nanoseconds. What a function returns is dropped within them.
    fn run(&mut self, size: usize) -> f64 {
        LENT.with(|lent| lent.borrow_mut().frees = true);
        let list: Vec<Arguments> = (0..size).filter_map(|_| self.fresh()).collect();
        let mut left = list.into_iter();
        ITERATION.store(self.ended + 1, Memory::SeqCst);
        INEXACT.store(size > 1, Memory::SeqCst);
        let function = &self.function;
        let timed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let start = Instant::now();
            for arguments in &mut left {
                keep(function.call(keep(arguments)));
            }
            start.elapsed().as_nanos() as f64
        }));
        let nanoseconds = timed.unwrap_or_else(|payload| {
            ITERATION.store(self.ended + size - left.len(), Memory::SeqCst);
            INEXACT.store(false, Memory::SeqCst);
            std::panic::resume_unwind(payload)
        });
        self.ended += size;
        let borrowed = LENT.with(|lent| std::mem::replace(&mut lent.borrow_mut().exclusive, Vec::new()));
        for free in borrowed {
            free();
        }
        nanoseconds
    }

    fn clock(&mut self) -> f64 {
        let mut steps: Vec<u64> = (0..31).map(|_| self.run(0) as u64).collect();
        steps.sort();
        steps[15] as f64
    }

    fn measure(&mut self, timing: &Timing) -> String {
        let began = timing.spent();
        let fits = |expected: f64, wall: f64, processor: f64| {
            let now = timing.spent();
            let share = (now.1 - began.1) / (now.0 - began.0).max(1.0);
            now.0 + expected < wall && now.1 + expected * share < processor
        };
        let mut told = Instant::now();
        let mut tell = |ended: usize| {
            if told.elapsed() > PROGRESS {
                told = Instant::now();
                send(&std::format!("{{\"event\":\"progress\",\"iteration\":{}}}", ended + 1));
            }
        };
        let largest = std::cmp::max(1, MOST_ARGUMENTS / timing.length.max(1));
        let first = self.run(1);
        let clock = self.clock();
        let now = timing.spent();
        let (warm_wall, warm_processor) =
            (now.0 + (timing.wall - now.0) / WARM_SHARE, now.1 + (timing.processor - now.1) / WARM_SHARE);
        let (mut each, mut warmup, mut warm) = (first.max(1.0), 1, false);
        let mut last: VecDeque<f64> = VecDeque::new();
        while !warm {
            let size = std::cmp::max(1, std::cmp::min(largest, (WARM_CALLS_NS / each) as usize));
            if !fits(each * size as f64, warm_wall, warm_processor) {
                break;
            }
            each = (self.run(size) / size as f64).max(0.001);
            warmup += size;
            last.push_back(each);
            if last.len() > 3 {
                last.pop_front();
            }
            let (low, high) = last.iter().fold((f64::INFINITY, 0f64), |(low, high), time| (low.min(*time), high.max(*time)));
            warm = last.len() == 3 && high <= 1.05 * low;
            tell(self.ended);
        }
        let mut batch = std::cmp::max(1, std::cmp::min(largest, (CLOCK_SHARE * clock / each) as usize + 1));
        let wanted = match timing.iterations {
            None => timing.samples * batch,
            Some(wanted) => {
                batch = std::cmp::max(1, std::cmp::max(std::cmp::min(batch, wanted / FEWEST_SAMPLES), wanted / MOST_SAMPLES));
                let count = std::cmp::max(1, wanted / batch);
                batch = (wanted + count - 1) / count;
                wanted
            }
        };
        let (mut batches, mut calls, mut worst) = (String::new(), 0, each * batch as f64);
        while calls < wanted && fits(worst, timing.wall, timing.processor) {
            let size = std::cmp::min(batch, wanted - calls);
            let nanoseconds = self.run(size);
            let _ = std::write!(batches, "{}{}", if calls > 0 { "," } else { "" }, nanoseconds);
            calls += size;
            worst = worst.max(nanoseconds);
            tell(self.ended);
        }
        if calls == 0 {
            batches = std::format!("{}", first);
            calls = 1;
            batch = 1;
            warmup -= 1;
        }
        std::format!(
            "{{\"event\":\"measured\",\"measurement\":{{\"batch_size\":{},\"calls\":{},\"warmup_calls\":{},\"warm\":{},\"clock_ns\":{},\"gc\":\"none\",\"batches\":[{}]}}}}",
            batch, calls, warmup, warm, clock, batches
        )
    }
}

fn returned(guest: &Guest, value: &str, form: Option<&str>) {
    if value.len() > guest.output_limit {
        return finish(&std::format!("{{\"event\":\"too_large\",\"size\":{}}}", value.len()));
    }
    let mut record = String::from("{\"event\":\"returned\",\"value\":");
    record.push_str(value);
    if let Some(form) = form {
        let _ = std::write!(record, ",\"form\":\"{}\"", form);
    }
    let _ = std::write!(record, ",\"nanoseconds\":{}}}", guest.nanoseconds);
    finish(&record);
}

fn unserializable<T>(_: &T, why: &str) {
    let mut record = String::from("{\"event\":\"unserializable\",\"text\":");
    write_text(&cut(&std::format!("{}: {}", type_name::<T>(), why), MOST_MESSAGE), &mut record);
    record.push('}');
    finish(&record);
}

// Below, a method call on `&&&&&Show(..)` takes the first trait that fits, from
// the most references to none. This works where the type is known: in the shim.

// A direct call stops at a type that is still open (a generic function), which
// the other traits would take for the first thing that fits.
pub trait Known {
    fn proctor_known(&self) {}
}
impl<T: ?Sized> Known for T {}

pub struct Parts<'a, T: 'a>(pub &'a T);
pub struct Show<'a, T: 'a>(pub Option<&'a T>);

pub trait ResultParts<'a, T, E> {
    fn proctor_parts(&self) -> (Show<'a, T>, Show<'a, E>);
}
impl<'a, 'b, T, E> ResultParts<'a, T, E> for &'b Parts<'a, Result<T, E>> {
    fn proctor_parts(&self) -> (Show<'a, T>, Show<'a, E>) {
        (Show(self.0.as_ref().ok()), Show(self.0.as_ref().err()))
    }
}
pub trait WholeParts<'a, T> {
    fn proctor_parts(&self) -> (Show<'a, T>, Show<'a, ()>);
}
impl<'a, T> WholeParts<'a, T> for Parts<'a, T> {
    fn proctor_parts(&self) -> (Show<'a, T>, Show<'a, ()>) {
        (Show(Some(self.0)), Show(None))
    }
}

// No type has it: an async function fails to compile with this name in the message.
pub trait AsyncFunctionsAreNotSupported {}

pub trait ShowFuture<T> {
    fn proctor_show(&self, guest: &Guest, is_error: bool)
    where
        T: AsyncFunctionsAreNotSupported;
}
impl<'a, 'b, 'c, 'd, 'e, T: Future> ShowFuture<T> for &'b &'c &'d &'e Show<'a, T> {
    fn proctor_show(&self, _: &Guest, _: bool)
    where
        T: AsyncFunctionsAreNotSupported,
    {
    }
}
pub trait ShowJson {
    fn proctor_show(&self, guest: &Guest, is_error: bool);
}
impl<'a, 'b, 'c, 'd, T: ToJson> ShowJson for &'b &'c &'d Show<'a, T> {
    fn proctor_show(&self, guest: &Guest, is_error: bool) {
        if let Some(value) = self.0 {
            let mut json = String::new();
            value.to_json(&mut json);
            returned(guest, &json, if is_error { Some("err") } else { None });
        }
    }
}
pub trait ShowSerde {
    fn proctor_show(&self, guest: &Guest, is_error: bool);
}
#[cfg(proctor_serde)]
impl<'a, 'b, 'c, T: Serialize> ShowSerde for &'b &'c Show<'a, T> {
    fn proctor_show(&self, guest: &Guest, is_error: bool) {
        if let Some(value) = self.0 {
            let written = serde_json::to_string(value).map_err(|error| std::format!("{}", error));
            match written.and_then(|text| parse(&text)) {
                Ok(json) => {
                    let mut text = String::new();
                    json.write(&mut text);
                    returned(guest, &text, if is_error { Some("err") } else { None });
                }
                Err(why) => unserializable(value, &why),
            }
        }
    }
}
pub trait ShowDebug {
    fn proctor_show(&self, guest: &Guest, is_error: bool);
}
impl<'a, 'b, T: Debug> ShowDebug for &'b Show<'a, T> {
    fn proctor_show(&self, guest: &Guest, is_error: bool) {
        if let Some(value) = self.0 {
            let mut text = String::new();
            if std::write!(text, "{:?}", value).is_err() {
                return unserializable(value, "its Debug failed");
            }
            let mut json = String::new();
            write_text(&text, &mut json);
            returned(guest, &json, Some(if is_error { "err" } else { "debug" }));
        }
    }
}
pub trait ShowNothing {
    fn proctor_show(&self, guest: &Guest, is_error: bool);
}
impl<'a, T> ShowNothing for Show<'a, T> {
    fn proctor_show(&self, _: &Guest, _: bool) {
        if let Some(value) = self.0 {
            unserializable(value, "no Debug either");
        }
    }
}

// ---- calling with a list of arguments ---------------------------------------

// What is wrong with the arguments; `position` counts from 1.
pub struct Refusal {
    position: Option<usize>,
    expected: String,
    message: String,
}

impl Refusal {
    fn whole(message: &str) -> Refusal {
        Refusal { position: None, expected: String::from("an array of arguments"), message: String::from(message) }
    }

    fn record(&self) -> String {
        let mut record = String::from("{\"event\":\"bad_arguments\"");
        if let Some(position) = self.position {
            let _ = std::write!(record, ",\"argument\":\"{}\"", position);
        }
        record.push_str(",\"expected\":");
        write_text(&self.expected, &mut record);
        record.push_str(",\"message\":");
        write_text(&self.message, &mut record);
        record.push('}');
        record
    }
}

// How each argument is read is chosen in the shim too, where its type is known: slots go there, decoders come back.
pub trait FromArguments: Sized {
    type Slots;
    type Decoders;
    fn slots() -> Self::Slots;
    fn from_arguments(list: Vec<Json>, decoders: &Self::Decoders) -> Result<Self, Refusal>;
}

pub struct Slot<T>(PhantomData<T>);

pub struct Decoder<T> {
    expected: fn() -> String,
    read: fn(Json) -> Result<T, Problem>,
}

pub fn slots<F: Call<Arguments>, Arguments: FromArguments>(_: &F) -> Arguments::Slots {
    Arguments::slots()
}

pub trait ReadOwn<T> {
    fn proctor_decoder(&self) -> Decoder<T>;
}
impl<'a, 'b, 'c, T: FromJson> ReadOwn<T> for &'a &'b &'c Slot<T> {
    fn proctor_decoder(&self) -> Decoder<T> {
        Decoder { expected: T::expected, read: T::from_json }
    }
}
// Behind a reference: serde itself has only those to parts of the text.
pub trait ReadReference<T> {
    fn proctor_decoder(&self) -> Decoder<T>;
}
pub trait ReadSerde<T> {
    fn proctor_decoder(&self) -> Decoder<T>;
}
pub trait ReadNothing<T> {
    fn proctor_decoder(&self) -> Decoder<T>
    where
        T: FromJson;
}
impl<T> ReadNothing<T> for Slot<T> {
    fn proctor_decoder(&self) -> Decoder<T>
    where
        T: FromJson,
    {
        Decoder { expected: T::expected, read: T::from_json }
    }
}

// Not bound to FromJson: so the compiler's message names the argument's type, not the function.
pub trait Call<Arguments> {
    type Output;
    fn call(&self, arguments: Arguments) -> Self::Output;
}

struct Given {
    list: std::vec::IntoIter<Json>,
    position: usize,
    given: usize,
    wanted: usize,
}

impl Given {
    fn take<T>(&mut self, decoder: &Decoder<T>) -> Result<T, Refusal> {
        self.position += 1;
        let message = match self.list.next() {
            None => count(self.wanted, self.given),
            Some(json) => match (decoder.read)(json) {
                Ok(value) => return Ok(value),
                Err(problem) => problem.message(),
            },
        };
        Err(Refusal { position: Some(self.position), expected: (decoder.expected)(), message })
    }

    fn end(&self) -> Result<(), Refusal> {
        if self.given <= self.wanted {
            return Ok(());
        }
        let message = count(self.wanted, self.given);
        Err(Refusal { position: Some(self.wanted + 1), expected: String::from("no argument"), message })
    }
}

fn count(wanted: usize, given: usize) -> String {
    std::format!("the function takes {} argument{}, {} given", wanted, if wanted == 1 { "" } else { "s" }, given)
}

// The shim does not know how many there are: it has a decoder for each of eight, the last ones `()`.
macro_rules! arguments {
    ($wanted:expr; $($name:ident)*; $($none:ty)*) => {
        impl<$($name),*> FromArguments for ($($name,)*) {
            type Slots = ($(Slot<$name>,)* $(Slot<$none>,)*);
            type Decoders = ($(Decoder<$name>,)* $(Decoder<$none>,)*);
            fn slots() -> Self::Slots {
                ($(Slot::<$name>(PhantomData),)* $(Slot::<$none>(PhantomData),)*)
            }
            #[allow(non_snake_case, unused_variables)]
            fn from_arguments(list: Vec<Json>, decoders: &Self::Decoders) -> Result<Self, Refusal> {
                let mut given = Given { given: list.len(), list: list.into_iter(), position: 0, wanted: $wanted };
                given.end()?;
                let _ = &mut given; // not mutated when the function takes nothing
                let ($(ref $name,)* ..) = *decoders;
                Ok(($(given.take($name)?,)*))
            }
        }
        impl<Function, Value, $($name),*> Call<($($name,)*)> for Function
        where
            Function: Fn($($name),*) -> Value,
        {
            type Output = Value;
            #[allow(non_snake_case)]
            fn call(&self, arguments: ($($name,)*)) -> Value {
                let ($($name,)*) = arguments;
                self($($name),*)
            }
        }
    };
}
arguments!(0;; () () () () () () () ());
arguments!(1; A; () () () () () () ());
arguments!(2; A B; () () () () () ());
arguments!(3; A B C; () () () () ());
arguments!(4; A B C D; () () () ());
arguments!(5; A B C D E; () () ());
arguments!(6; A B C D E G; () ());
arguments!(7; A B C D E G H; ());
arguments!(8; A B C D E G H I;);

// ---- from JSON to Rust ------------------------------------------------------

pub struct Problem {
    place: String,
    text: String,
}

impl Problem {
    fn within(mut self, part: &str) -> Problem {
        self.place.insert_str(0, part);
        self
    }

    fn message(&self) -> String {
        if self.place.is_empty() {
            return self.text.clone();
        }
        std::format!("at {}: {}", self.place, self.text)
    }
}

fn problem<T>(text: String) -> Result<T, Problem> {
    Err(Problem { place: String::new(), text })
}

fn mismatch<T: FromJson>(json: &Json) -> Result<T, Problem> {
    problem(std::format!("{} is no {}", json.brief(), T::expected()))
}

pub trait FromJson: Sized {
    fn expected() -> String;
    fn from_json(json: Json) -> Result<Self, Problem>;
}

pub trait FromKey: Sized {
    fn key_name() -> String;
    fn from_key(key: &str) -> Option<Self>;
}

macro_rules! integers {
    ($($name:ident)*) => {$(
        impl FromJson for $name {
            fn expected() -> String {
                String::from(std::stringify!($name))
            }
            fn from_json(json: Json) -> Result<Self, Problem> {
                let text = match json {
                    Json::Number(ref text) => text,
                    _ => return mismatch(&json),
                };
                if text.contains(|c| c == '.' || c == 'e' || c == 'E') {
                    return problem(std::format!("{} is not written as an integer, {} is expected", text, Self::expected()));
                }
                match (if text == "-0" { "0" } else { text }).parse() {
                    Ok(value) => Ok(value),
                    Err(_) => problem(std::format!("{} is out of range for {} ({} to {})",
                        text, Self::expected(), std::$name::MIN, std::$name::MAX)),
                }
            }
        }
        impl FromKey for $name {
            fn key_name() -> String {
                String::from(std::stringify!($name))
            }
            fn from_key(key: &str) -> Option<Self> {
                key.parse().ok()
            }
        }
        impl ToJson for $name {
            fn to_json(&self, out: &mut String) {
                let _ = std::write!(out, "{}", self);
            }
        }
        impl ToKey for $name {
            fn to_key(&self) -> String {
                std::format!("{}", self)
            }
        }
    )*};
}
integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

// JSON has no word for these three: they are strings, in both directions.
macro_rules! floats {
    ($($name:ident)*) => {$(
        impl FromJson for $name {
            fn expected() -> String {
                String::from(std::stringify!($name))
            }
            fn from_json(json: Json) -> Result<Self, Problem> {
                match json {
                    Json::Number(ref text) => match text.parse::<$name>() {
                        Ok(value) if value.is_finite() => Ok(value),
                        _ => problem(std::format!("{} is out of range for {}", text, Self::expected())),
                    },
                    Json::Text(ref text) if text == "NaN" => Ok(std::$name::NAN),
                    Json::Text(ref text) if text == "Infinity" => Ok(std::$name::INFINITY),
                    Json::Text(ref text) if text == "-Infinity" => Ok(std::$name::NEG_INFINITY),
                    _ => mismatch(&json),
                }
            }
        }
        impl ToJson for $name {
            fn to_json(&self, out: &mut String) {
                if self.is_finite() {
                    let _ = std::write!(out, "{:?}", self);
                } else {
                    out.push_str(if self.is_nan() { "\"NaN\"" } else if *self > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
                }
            }
        }
    )*};
}
floats!(f32 f64);

impl FromJson for () {
    fn expected() -> String {
        String::from("()")
    }
    fn from_json(json: Json) -> Result<Self, Problem> {
        match json {
            Json::Null => Ok(()),
            _ => mismatch(&json),
        }
    }
}

impl FromJson for bool {
    fn expected() -> String {
        String::from("bool")
    }
    fn from_json(json: Json) -> Result<Self, Problem> {
        match json {
            Json::Bool(value) => Ok(value),
            _ => mismatch(&json),
        }
    }
}

fn only_char(text: &str) -> Option<char> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

impl FromJson for char {
    fn expected() -> String {
        String::from("char")
    }
    fn from_json(json: Json) -> Result<Self, Problem> {
        let only = match json {
            Json::Text(ref text) => only_char(text),
            _ => None,
        };
        only.map_or_else(|| mismatch(&json), Ok)
    }
}

impl FromKey for bool {
    fn key_name() -> String {
        String::from("bool")
    }
    fn from_key(key: &str) -> Option<Self> {
        key.parse().ok()
    }
}
impl FromKey for char {
    fn key_name() -> String {
        String::from("char")
    }
    fn from_key(key: &str) -> Option<Self> {
        only_char(key)
    }
}
impl FromKey for String {
    fn key_name() -> String {
        String::from("String")
    }
    fn from_key(key: &str) -> Option<Self> {
        Some(String::from(key))
    }
}
impl FromKey for &'static str {
    fn key_name() -> String {
        String::from("&str")
    }
    fn from_key(key: &str) -> Option<Self> {
        lend(|| Ok(&*Box::leak(String::from(key).into_boxed_str()))).ok()
    }
}

impl FromJson for String {
    fn expected() -> String {
        String::from("String")
    }
    fn from_json(json: Json) -> Result<Self, Problem> {
        match json {
            Json::Text(text) => Ok(text),
            _ => mismatch(&json),
        }
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn expected() -> String {
        std::format!("Option<{}>", T::expected())
    }
    fn from_json(json: Json) -> Result<Self, Problem> {
        match json {
            Json::Null => Ok(None),
            json => T::from_json(json).map(Some),
        }
    }
}

// The elements of a list, for a type of that name.
fn elements<T: FromJson, Whole: FromJson>(json: Json) -> Result<Vec<T>, Problem> {
    let list = match json {
        Json::List(list) => list,
        _ => return mismatch::<Whole>(&json).map(|_| Vec::new()),
    };
    let mut out = Vec::with_capacity(list.len());
    for (index, json) in list.into_iter().enumerate() {
        out.push(T::from_json(json).map_err(|problem| problem.within(&std::format!("[{}]", index)))?);
    }
    Ok(out)
}

fn members<K: FromKey, V: FromJson, Whole: FromJson>(json: Json) -> Result<Vec<(K, V)>, Problem> {
    let list = match json {
        Json::Object(list) => list,
        _ => return mismatch::<Whole>(&json).map(|_| Vec::new()),
    };
    let mut out = Vec::with_capacity(list.len());
    for (name, json) in list {
        let key = match K::from_key(&name) {
            Some(key) => key,
            None => return problem(std::format!("the key {:?} is no {}", name, K::key_name())),
        };
        out.push((key, V::from_json(json).map_err(|problem| problem.within(&std::format!("[{:?}]", name)))?));
    }
    Ok(out)
}

impl<T: FromJson> FromJson for Vec<T> {
    fn expected() -> String {
        std::format!("Vec<{}>", T::expected())
    }
    fn from_json(json: Json) -> Result<Self, Problem> {
        elements::<T, Self>(json)
    }
}

impl<T: FromJson> FromJson for VecDeque<T> {
    fn expected() -> String {
        std::format!("VecDeque<{}>", T::expected())
    }
    fn from_json(json: Json) -> Result<Self, Problem> {
        elements::<T, Self>(json).map(|list| list.into_iter().collect())
    }
}

impl<T: FromJson + Eq + Hash, S: BuildHasher + Default> FromJson for HashSet<T, S> {
    fn expected() -> String {
        std::format!("HashSet<{}>", T::expected())
    }
    fn from_json(json: Json) -> Result<Self, Problem> {
        elements::<T, Self>(json).map(|list| list.into_iter().collect())
    }
}

impl<T: FromJson + Ord> FromJson for BTreeSet<T> {
    fn expected() -> String {
        std::format!("BTreeSet<{}>", T::expected())
    }
    fn from_json(json: Json) -> Result<Self, Problem> {
        elements::<T, Self>(json).map(|list| list.into_iter().collect())
    }
}

impl<T: FromJson, const N: usize> FromJson for [T; N] {
    fn expected() -> String {
        std::format!("[{}; {}]", T::expected(), N)
    }
    fn from_json(json: Json) -> Result<Self, Problem> {
        <[T; N]>::try_from(elements::<T, Self>(json)?)
            .or_else(|list| problem(std::format!("{} elements are no {}", list.len(), Self::expected())))
    }
}

impl<K: FromKey + Eq + Hash, V: FromJson, S: BuildHasher + Default> FromJson for HashMap<K, V, S> {
    fn expected() -> String {
        std::format!("HashMap<{}, {}>", K::key_name(), V::expected())
    }
    fn from_json(json: Json) -> Result<Self, Problem> {
        let list = members::<K, V, Self>(json)?;
        let given = list.len();
        let map: Self = list.into_iter().collect();
        if map.len() < given { problem(String::from("two of the keys are equal")) } else { Ok(map) }
    }
}

impl<K: FromKey + Ord, V: FromJson> FromJson for BTreeMap<K, V> {
    fn expected() -> String {
        std::format!("BTreeMap<{}, {}>", K::key_name(), V::expected())
    }
    fn from_json(json: Json) -> Result<Self, Problem> {
        let list = members::<K, V, Self>(json)?;
        let given = list.len();
        let map: Self = list.into_iter().collect();
        if map.len() < given { problem(String::from("two of the keys are equal")) } else { Ok(map) }
    }
}

macro_rules! owners {
    ($($name:ident)*) => {$(
        impl<T: FromJson> FromJson for $name<T> {
            fn expected() -> String {
                std::format!("{}<{}>", std::stringify!($name), T::expected())
            }
            fn from_json(json: Json) -> Result<Self, Problem> {
                T::from_json(json).map($name::new)
            }
        }
        impl FromJson for $name<str> {
            fn expected() -> String {
                std::format!("{}<str>", std::stringify!($name))
            }
            fn from_json(json: Json) -> Result<Self, Problem> {
                String::from_json(json).map($name::from)
            }
        }
        impl<T: FromJson> FromJson for $name<[T]> {
            fn expected() -> String {
                std::format!("{}<[{}]>", std::stringify!($name), T::expected())
            }
            fn from_json(json: Json) -> Result<Self, Problem> {
                elements::<T, Self>(json).map($name::from)
            }
        }
    )*};
}
owners!(Box Rc Arc);

impl<T: ToOwned + ?Sized + 'static> FromJson for Cow<'static, T>
where
    T::Owned: FromJson,
{
    fn expected() -> String {
        T::Owned::expected()
    }
    fn from_json(json: Json) -> Result<Self, Problem> {
        T::Owned::from_json(json).map(Cow::Owned)
    }
}

// What references in arguments point to. The first call's are never freed: what is behind `&` cannot be changed, and
// is lent to every later call of a benchmark again. What is behind `&mut` is made anew, and freed after its batch.
struct Lent {
    next: usize,
    shared: Vec<(Box<dyn Any>, usize)>, // a reference, and how many come before the one after it
    frees: bool,
    exclusive: Vec<Box<dyn FnOnce()>>,
}

std::thread_local! {
    static LENT: RefCell<Lent> =
        RefCell::new(Lent { next: 0, shared: Vec::new(), frees: false, exclusive: Vec::new() });
}

// The same arguments are read in the same order each time: the place in it tells one reference from another.
fn lend<R: Copy + 'static, M: FnOnce() -> Result<R, Problem>>(make: M) -> Result<R, Problem> {
    let (place, known) = LENT.with(|lent| {
        let mut lent = lent.borrow_mut();
        let place = lent.next;
        let known = lent.shared.get(place).and_then(|one| one.0.downcast_ref::<R>().map(|kept| (*kept, one.1)));
        lent.next = known.map_or(place + 1, |one| one.1);
        if known.is_none() {
            lent.shared.truncate(place);
            lent.shared.push((Box::new(()), 0));
        }
        (place, known)
    });
    if let Some((kept, _)) = known {
        return Ok(kept);
    }
    let made = make()?;
    LENT.with(|lent| {
        let mut lent = lent.borrow_mut();
        let next = lent.next;
        lent.shared[place] = (Box::new(made), next);
    });
    Ok(made)
}

fn lend_exclusively<T: ?Sized + 'static>(value: Box<T>) -> &'static mut T {
    let pointer = Box::into_raw(value);
    LENT.with(|lent| {
        let mut lent = lent.borrow_mut();
        if lent.frees {
            lent.exclusive.push(Box::new(move || unsafe { std::mem::drop(Box::from_raw(pointer)) }));
        }
    });
    unsafe { &mut *pointer }
}

macro_rules! references {
    ($mark:expr; $reference:ty, $text:ty, $slice:ty; $value:ident => $lend:expr) => {
        impl<T: FromJson> FromJson for $reference {
            fn expected() -> String {
                std::format!("{}{}", $mark, T::expected())
            }
            fn from_json(json: Json) -> Result<Self, Problem> {
                let $value = move || T::from_json(json).map(Box::new);
                $lend
            }
        }
        impl FromJson for $text {
            fn expected() -> String {
                std::format!("{}str", $mark)
            }
            fn from_json(json: Json) -> Result<Self, Problem> {
                let $value = move || match json {
                    Json::Text(text) => Ok(text.into_boxed_str()),
                    _ => mismatch::<Self>(&json).map(|_| String::new().into_boxed_str()),
                };
                $lend
            }
        }
        impl<T: FromJson> FromJson for $slice {
            fn expected() -> String {
                std::format!("{}[{}]", $mark, T::expected())
            }
            fn from_json(json: Json) -> Result<Self, Problem> {
                let $value = move || elements::<T, Self>(json).map(Vec::into_boxed_slice);
                $lend
            }
        }
    };
}
references!("&"; &'static T, &'static str, &'static [T]; value => lend(|| value().map(|value| &*Box::leak(value))));
references!("&mut "; &'static mut T, &'static mut str, &'static mut [T]; value => value().map(lend_exclusively));

macro_rules! tuples {
    ($size:expr; $($name:ident $index:tt)*) => {
        impl<$($name: FromJson),*> FromJson for ($($name,)*) {
            fn expected() -> String {
                let parts = [$($name::expected()),*];
                std::format!("({}{})", parts.join(", "), if $size == 1 { "," } else { "" })
            }
            fn from_json(json: Json) -> Result<Self, Problem> {
                let list = match json {
                    Json::List(list) => list,
                    _ => return mismatch(&json),
                };
                if list.len() != $size {
                    return problem(std::format!("{} elements are no {}", list.len(), Self::expected()));
                }
                let mut list = list.into_iter();
                Ok(($($name::from_json(list.next().unwrap_or(Json::Null))
                    .map_err(|problem| problem.within(std::concat!("[", $index, "]")))?,)*))
            }
        }
        impl<$($name: ToJson),*> ToJson for ($($name,)*) {
            fn to_json(&self, out: &mut String) {
                out.push('[');
                $(
                    if $index > 0 {
                        out.push(',');
                    }
                    self.$index.to_json(out);
                )*
                out.push(']');
            }
        }
    };
}
tuples!(1; A 0);
tuples!(2; A 0 B 1);
tuples!(3; A 0 B 1 C 2);
tuples!(4; A 0 B 1 C 2 D 3);
tuples!(5; A 0 B 1 C 2 D 3 E 4);
tuples!(6; A 0 B 1 C 2 D 3 E 4 G 5);
tuples!(7; A 0 B 1 C 2 D 3 E 4 G 5 H 6);
tuples!(8; A 0 B 1 C 2 D 3 E 4 G 5 H 6 I 7);

// What the crate's own types come from. The text is lent: they may keep parts of it.
#[cfg(proctor_serde)]
mod by_serde {
    use super::*;

    fn expected<T: ?Sized>() -> String {
        let mut short = String::new(); // without the paths of modules
        for c in type_name::<T>().chars() {
            short.push(c);
            if short.ends_with("::") {
                short.truncate(short.len() - 2);
                while short.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                    let _ = short.pop();
                }
            }
        }
        short
    }

    fn read<T: Deserialize<'static>>(json: Json) -> Result<T, Problem> {
        let text: &'static str = lend(move || {
            let mut text = String::new();
            json.write(&mut text);
            Ok(&*Box::leak(text.into_boxed_str()))
        })?;
        serde_json::from_str(text).or_else(|error| {
            let words = std::format!("{}", error);
            // The place is one of the text made here, not of what was given.
            let end = if error.line() > 0 { words.rfind(" at line ") } else { None };
            problem(String::from(&words[..end.unwrap_or(words.len())]))
        })
    }

    impl<'a, T: Deserialize<'static>> ReadSerde<T> for &'a Slot<T> {
        fn proctor_decoder(&self) -> Decoder<T> {
            Decoder { expected: expected::<T>, read: read::<T> }
        }
    }

    macro_rules! behind {
        ($($reference:ty, $json:ident => $lend:expr;)*) => {$(
            impl<'a, 'b, T: Deserialize<'static>> ReadReference<$reference> for &'a &'b Slot<$reference> {
                fn proctor_decoder(&self) -> Decoder<$reference> {
                    Decoder { expected: expected::<$reference>, read: |$json| $lend }
                }
            }
        )*};
    }
    behind! {
        &'static T, json => lend(|| read::<T>(json).map(|value| &*Box::leak(Box::new(value))));
        &'static [T], json => lend(|| read::<Vec<T>>(json).map(|list| &*Box::leak(list.into_boxed_slice())));
        &'static mut T, json => read::<T>(json).map(|value| lend_exclusively(Box::new(value)));
        &'static mut [T], json => read::<Vec<T>>(json).map(|list| lend_exclusively(list.into_boxed_slice()));
    }
}

// ---- from Rust to JSON ------------------------------------------------------

pub trait ToJson {
    fn to_json(&self, out: &mut String);
}

pub trait ToKey {
    fn to_key(&self) -> String;
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || c == '\u{7f}' => {
                let _ = std::write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn write_list<'a, T: ToJson + 'a, I: Iterator<Item = &'a T>>(list: I, out: &mut String) {
    out.push('[');
    for (index, value) in list.enumerate() {
        if index > 0 {
            out.push(',');
        }
        value.to_json(out);
    }
    out.push(']');
}

fn write_members<'a, K: ToKey + 'a, V: ToJson + 'a, I: Iterator<Item = (&'a K, &'a V)>>(list: I, out: &mut String) {
    out.push('{');
    for (index, (key, value)) in list.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(&key.to_key(), out);
        out.push(':');
        value.to_json(out);
    }
    out.push('}');
}

// Numbers by value and before texts. A hash table has no order of its own, and
// the same result should look the same each time.
fn in_order(a: &str, b: &str) -> Ordering {
    match (a.parse::<i128>(), b.parse::<i128>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        _ => a.cmp(b),
    }
}

impl ToJson for () {
    fn to_json(&self, out: &mut String) {
        out.push_str("null");
    }
}
impl ToJson for bool {
    fn to_json(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}
impl ToJson for char {
    fn to_json(&self, out: &mut String) {
        write_text(self.encode_utf8(&mut [0; 4]), out);
    }
}
impl ToJson for str {
    fn to_json(&self, out: &mut String) {
        write_text(self, out);
    }
}
impl ToJson for String {
    fn to_json(&self, out: &mut String) {
        write_text(self, out);
    }
}
impl ToJson for Duration {
    fn to_json(&self, out: &mut String) {
        self.as_secs_f64().to_json(out);
    }
}
impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self, out: &mut String) {
        match *self {
            Some(ref value) => value.to_json(out),
            None => out.push_str("null"),
        }
    }
}
// Only for a Result inside another value: one that is the result itself is taken apart by Parts.
impl<T: ToJson, E: ToJson> ToJson for Result<T, E> {
    fn to_json(&self, out: &mut String) {
        match *self {
            Ok(ref value) => {
                out.push_str("{\"Ok\":");
                value.to_json(out);
            }
            Err(ref error) => {
                out.push_str("{\"Err\":");
                error.to_json(out);
            }
        }
        out.push('}');
    }
}
impl<T: ToJson> ToJson for [T] {
    fn to_json(&self, out: &mut String) {
        write_list(self.iter(), out);
    }
}
impl<T: ToJson, const N: usize> ToJson for [T; N] {
    fn to_json(&self, out: &mut String) {
        write_list(self.iter(), out);
    }
}
impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self, out: &mut String) {
        write_list(self.iter(), out);
    }
}
impl<T: ToJson> ToJson for VecDeque<T> {
    fn to_json(&self, out: &mut String) {
        write_list(self.iter(), out);
    }
}
impl<T: ToJson> ToJson for BTreeSet<T> {
    fn to_json(&self, out: &mut String) {
        write_list(self.iter(), out);
    }
}
impl<T: ToJson, S> ToJson for HashSet<T, S> {
    fn to_json(&self, out: &mut String) {
        let mut parts = Vec::with_capacity(self.len());
        for value in self {
            let mut part = String::new();
            value.to_json(&mut part);
            parts.push(part);
        }
        parts.sort_by(|a, b| in_order(a, b));
        out.push('[');
        out.push_str(&parts.join(","));
        out.push(']');
    }
}
impl<K: ToKey, V: ToJson> ToJson for BTreeMap<K, V> {
    fn to_json(&self, out: &mut String) {
        write_members(self.iter(), out);
    }
}
impl<K: ToKey, V: ToJson, S> ToJson for HashMap<K, V, S> {
    fn to_json(&self, out: &mut String) {
        let mut parts: Vec<(String, &V)> = self.iter().map(|(key, value)| (key.to_key(), value)).collect();
        parts.sort_by(|a, b| in_order(&a.0, &b.0));
        write_members(parts.iter().map(|part| (&part.0, part.1)), out);
    }
}
macro_rules! pointers {
    ($($pointer:ty)*) => {$(
        impl<'a, T: ToJson + ?Sized> ToJson for $pointer {
            fn to_json(&self, out: &mut String) {
                (**self).to_json(out);
            }
        }
        impl<'a, T: ToKey + ?Sized> ToKey for $pointer {
            fn to_key(&self) -> String {
                (**self).to_key()
            }
        }
    )*};
}
pointers!(&'a T &'a mut T Box<T> Rc<T> Arc<T>);

impl<'a, T: ToJson + ToOwned + ?Sized> ToJson for Cow<'a, T> {
    fn to_json(&self, out: &mut String) {
        (**self).to_json(out);
    }
}
impl<'a, T: ToKey + ToOwned + ?Sized> ToKey for Cow<'a, T> {
    fn to_key(&self) -> String {
        (**self).to_key()
    }
}
impl ToKey for str {
    fn to_key(&self) -> String {
        String::from(self)
    }
}
impl ToKey for String {
    fn to_key(&self) -> String {
        self.clone()
    }
}
impl ToKey for char {
    fn to_key(&self) -> String {
        String::from(&*self.encode_utf8(&mut [0; 4]))
    }
}
impl ToKey for bool {
    fn to_key(&self) -> String {
        String::from(if *self { "true" } else { "false" })
    }
}

// ---- reading JSON -----------------------------------------------------------

const DEEPEST: usize = 512;

// A number stays text: only the wanted type says how to read it, and nothing is rounded on the way.
#[derive(Clone)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    // Members in order of their names: the crate's own types may hold hash tables.
    #[cfg(proctor_serde)]
    fn write(&self, out: &mut String) {
        match *self {
            Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Json::Number(ref text) => out.push_str(text),
            Json::Text(ref text) => write_text(text, out),
            Json::List(ref list) => {
                out.push('[');
                for (index, json) in list.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    json.write(out);
                }
                out.push(']');
            }
            Json::Object(ref members) => {
                let mut members: Vec<&(String, Json)> = members.iter().collect();
                members.sort_by(|a, b| in_order(&a.0, &b.0));
                out.push('{');
                for (index, member) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(&member.0, out);
                    out.push(':');
                    member.1.write(out);
                }
                out.push('}');
            }
        }
    }

    fn brief(&self) -> String {
        match *self {
            Json::Null => String::from("null"),
            Json::Bool(value) => std::format!("{}", value),
            Json::Number(ref text) => std::format!("the number {}", cut(text, 40)),
            Json::Text(ref text) => std::format!("the string {:?}", cut(text, 40)),
            Json::List(_) => String::from("an array"),
            Json::Object(_) => String::from("an object"),
        }
    }
}

fn cut(text: &str, characters: usize) -> String {
    let mut out: String = text.chars().take(characters).collect();
    if out.len() < text.len() {
        out.push_str("...");
    }
    out
}

fn parse(text: &str) -> Result<Json, String> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let json = reader.value()?;
    reader.space();
    if reader.at < text.len() {
        return reader.fail("nothing more is expected");
    }
    Ok(json)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn fail<T>(&self, why: &str) -> Result<T, String> {
        Err(std::format!("{} at byte {}", why, self.at))
    }

    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).map_or(0, |byte| *byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.peek() == byte && self.at < self.text.len();
        if eaten {
            self.at += 1;
        }
        eaten
    }

    fn space(&mut self) {
        while self.eat(b' ') || self.eat(b'\t') || self.eat(b'\n') || self.eat(b'\r') {}
    }

    fn word(&mut self, word: &str, json: Json) -> Result<Json, String> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return self.fail("no JSON value");
        }
        self.at += word.len();
        Ok(json)
    }

    fn value(&mut self) -> Result<Json, String> {
        self.space();
        match self.peek() {
            b'n' => self.word("null", Json::Null),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'"' => self.string().map(Json::Text),
            b'[' | b'{' => {
                if self.depth == DEEPEST {
                    return self.fail("the nesting is too deep");
                }
                self.depth += 1;
                let json = if self.eat(b'[') { self.list() } else { self.object() };
                self.depth -= 1;
                json
            }
            _ => self.number(),
        }
    }

    fn list(&mut self) -> Result<Json, String> {
        let mut list = Vec::new();
        self.space();
        if self.eat(b']') {
            return Ok(Json::List(list));
        }
        loop {
            list.push(self.value()?);
            self.space();
            if self.eat(b']') {
                return Ok(Json::List(list));
            }
            if !self.eat(b',') {
                return self.fail("\",\" or \"]\" is expected");
            }
        }
    }

    fn object(&mut self) -> Result<Json, String> {
        let mut members = Vec::new();
        self.at += 1;
        self.space();
        if self.eat(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            if self.peek() != b'"' {
                return self.fail("a name is expected");
            }
            let name = self.string()?;
            self.space();
            if !self.eat(b':') {
                return self.fail("\":\" is expected");
            }
            members.push((name, self.value()?));
            self.space();
            if self.eat(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.eat(b',') {
                return self.fail("\",\" or \"}\" is expected");
            }
        }
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        self.at > start
    }

    fn number(&mut self) -> Result<Json, String> {
        let start = self.at;
        let _ = self.eat(b'-');
        let mut valid = self.eat(b'0') || self.digits();
        if valid && self.eat(b'.') {
            valid = self.digits();
        }
        if valid && (self.eat(b'e') || self.eat(b'E')) {
            let _ = self.eat(b'+') || self.eat(b'-');
            valid = self.digits();
        }
        if !valid {
            return self.fail("no JSON value");
        }
        Ok(Json::Number(String::from(&self.text[start..self.at])))
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while self.at < self.text.len() && self.peek() != b'"' && self.peek() != b'\\' && self.peek() >= b' ' {
                self.at += 1;
            }
            out.push_str(&self.text[start..self.at]);
            if self.eat(b'"') {
                return Ok(out);
            }
            if !self.eat(b'\\') {
                return self.fail("the string does not end or has a control character");
            }
            let escape = self.peek();
            self.at += 1;
            out.push(match escape {
                b'"' | b'\\' | b'/' => escape as char,
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => self.escaped()?,
                _ => {
                    self.at -= 1;
                    return self.fail("unknown escape");
                }
            });
        }
    }

    fn hex(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = match (self.peek() as char).to_digit(16) {
                Some(digit) => digit,
                None => return self.fail("four hexadecimal digits are expected"),
            };
            self.at += 1;
            code = code * 16 + digit;
        }
        Ok(code)
    }

    // A Rust string has no place for half of a surrogate pair.
    fn escaped(&mut self) -> Result<char, String> {
        let mut code = self.hex()?;
        if code >= 0xD800 && code < 0xDC00 && self.eat(b'\\') && self.eat(b'u') {
            let low = self.hex()?;
            if low < 0xDC00 || low > 0xDFFF {
                return self.fail("a lone surrogate");
            }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        match std::char::from_u32(code) {
            Some(c) => Ok(c),
            None => self.fail("a lone surrogate"),
        }
    }
}
