# PostgreSQL with engagement, on the official image:
#
#   docker build -t engagement .
#   docker run -d --name engagement -p 5432:5432 -e POSTGRES_PASSWORD=secret engagement
#   docker exec -it engagement psql -U postgres
#
# The database made at the first start has the extension in the schema engagement, on
# its search path. For another version: docker build --build-arg POSTGRES=16 .
ARG POSTGRES=17

FROM postgres:${POSTGRES} AS build
RUN apt-get update \
	&& apt-get install -y --no-install-recommends make gcc libc6-dev "postgresql-server-dev-$PG_MAJOR"
COPY . /src
# Bitcode would only serve inlining by the JIT.
RUN make -C /src with_llvm=no PG_CONFIG="/usr/lib/postgresql/$PG_MAJOR/bin/pg_config" DESTDIR=/install install \
	&& mkdir /install/docker-entrypoint-initdb.d \
	&& printf '%s\n' \
		'CREATE SCHEMA engagement;' \
		'CREATE EXTENSION engagement SCHEMA engagement;' \
		'GRANT USAGE ON SCHEMA engagement TO PUBLIC;' \
		'SELECT current_database() AS made \gset' \
		'ALTER DATABASE :"made" SET search_path = "$user", public, engagement;' \
		>/install/docker-entrypoint-initdb.d/engagement.sql

# The compiler and the headers stay behind.
FROM postgres:${POSTGRES}
COPY --from=build /install/ /
