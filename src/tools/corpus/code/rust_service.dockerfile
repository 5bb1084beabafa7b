# Multi-stage build of a Rust crate named "service": compile in one image, ship another.
FROM rust:1-slim AS build
WORKDIR /src

# Build the dependencies first so that they are cached between code changes.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src \
    && echo 'fn main() {}' > src/main.rs \
    && cargo build --release --locked \
    && rm -r src

COPY src ./src
RUN touch src/main.rs && cargo build --release --locked

FROM debian:stable-slim
RUN useradd --system --no-create-home app
COPY --from=build /src/target/release/service /usr/local/bin/service
USER app
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/service"]
