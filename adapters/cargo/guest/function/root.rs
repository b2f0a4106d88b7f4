
#[path = "{{HARNESS}}"]
mod __proctor;
