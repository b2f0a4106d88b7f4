
// Added for one call; not part of the file.
impl crate::__proctor::Target for crate::__proctor::Guest {
    fn call(__proctor_guest: &mut Self) {
        use crate::__proctor::{Known as _, ResultParts as _, ShowDebug as _, ShowFuture as _, ShowJson as _, ShowNothing as _, WholeParts as _};
        let __proctor_outcome = crate::__proctor::invoke(__proctor_guest, {{FUNCTION}});
        if let crate::__proctor::Outcome::Returned(__proctor_value) = __proctor_outcome {
            __proctor_value.proctor_known();
            let __proctor_parts = (&&crate::__proctor::Parts(&__proctor_value)).proctor_parts();
            (&&&&__proctor_parts.0).proctor_show(__proctor_guest, false);
            (&&&&__proctor_parts.1).proctor_show(__proctor_guest, true);
        }
    }
}
