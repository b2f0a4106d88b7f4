
// Added for one call; not part of the file.
impl crate::__proctor::Target for crate::__proctor::Guest {
    fn call(__proctor_guest: &mut Self) {
        use crate::__proctor::{Known as _, ReadNothing as _, ReadOwn as _, ReadReference as _, ReadSerde as _, ResultParts as _, WholeParts as _};
        use crate::__proctor::{ShowDebug as _, ShowFuture as _, ShowJson as _, ShowNothing as _, ShowSerde as _};
        let __proctor_slots = crate::__proctor::slots(&{{FUNCTION}});
        let __proctor_decoders = (
            (&&&&__proctor_slots.0).proctor_decoder(),
            (&&&&__proctor_slots.1).proctor_decoder(),
            (&&&&__proctor_slots.2).proctor_decoder(),
            (&&&&__proctor_slots.3).proctor_decoder(),
            (&&&&__proctor_slots.4).proctor_decoder(),
            (&&&&__proctor_slots.5).proctor_decoder(),
            (&&&&__proctor_slots.6).proctor_decoder(),
            (&&&&__proctor_slots.7).proctor_decoder(),
        );
        let __proctor_outcome = crate::__proctor::invoke(__proctor_guest, {{FUNCTION}}, __proctor_decoders);
        if let crate::__proctor::Outcome::Returned(__proctor_value) = __proctor_outcome {
            __proctor_value.proctor_known();
            let __proctor_parts = (&&crate::__proctor::Parts(&__proctor_value)).proctor_parts();
            (&&&&&__proctor_parts.0).proctor_show(__proctor_guest, false);
            (&&&&&__proctor_parts.1).proctor_show(__proctor_guest, true);
        }
    }
}
