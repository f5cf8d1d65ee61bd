import { courierContract } from '#tests/contracts/courier-contract.ts';
import { memoryCourier } from '#tests/fakes/memory-courier.ts';

const courier = memoryCourier();
let servers = 0;

courierContract({
  courier,
  forbidden: 'https://intranet/',
  async server(status) {
    const url = `https://shop${++servers}.example.com/hook`;
    courier.answers(() => ({ status }));
    return { url, bodies: () => courier.sent.filter((letter) => letter.url === url).map(({ body }) => body) };
  },
});
