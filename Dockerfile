# Packages in a stage of their own, so that npm's cache and the build tools of native packages stay out of the image.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# The npm package `node` is for machines with an older Node; this image is Node 24 itself.
RUN npm install --no-save --omit=dev --no-audit --no-fund && rm -rf node_modules/node node_modules/.bin/node

FROM node:24-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    FIREBREAK_DATA_DIR=/data
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json package-lock.json LICENSE ./
COPY bin ./bin
COPY src ./src
COPY commands ./commands
COPY workflows ./workflows
COPY detections ./detections
RUN mkdir -p /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 3000
# Only the web role listens: docker-compose.yml switches this off for the worker and the executor.
HEALTHCHECK --interval=15s --timeout=5s --retries=4 CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/firebreak.js"]
CMD ["serve"]
